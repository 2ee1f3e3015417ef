"""L-BFGS."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any, cast

import numpy as np

from nnative import _native, recording
from nnative.autograd import Array, TensorBase
from nnative.grad_mode import enable_grad
from nnative.optim.line_search import Trial, strong_wolfe
from nnative.optim.optimizer import Group, Optimizer, State


class LBFGS(Optimizer):
    r"""Limited-memory BFGS: Newton's direction from the changes of the last gradients, for the full batch.

    With ``s = θₖ₊₁ − θₖ``, ``y = gₖ₊₁ − gₖ`` of the last steps the two-loop recursion multiplies −g by an estimate of
    the inverse Hessian; θ moves along it by ``lr``, or by a length that satisfies the strong Wolfe conditions.

    Parameters
    ----------
    params
        Tensors of one dtype, in one group.
    lr
        The step length, with a line search its first guess.
    max_iter, max_eval
        Iterations and evaluations of the closure in a `step`; ``max_eval`` is by default a quarter more.
    tolerance_grad, tolerance_change
        Stop when no element of the gradient is larger, or when loss and parameters change by less.
    history_size
        The number of pairs (s, y) that are kept.
    line_search_fn
        ``"strong_wolfe"`` or None.

    Raises
    ------
    ValueError
        For several groups, a learning rate that is negative, infinite or NaN, and another ``line_search_fn``.

    Notes
    -----
    `step` needs a closure that clears the gradients, computes the loss, calls ``backward`` and returns the loss. It
    looks at values and cannot be recorded, but the closure may call a recorded function. The state belongs to the first
    parameter, as in PyTorch. Liu and Nocedal, "On the limited memory BFGS method for large scale optimization", 1989.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative.optim import LBFGS
    >>> w = nnative.Tensor(np.array([-1.2, 1.0]), requires_grad=True)
    >>> optimizer = LBFGS([w], line_search_fn="strong_wolfe", max_iter=60)
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> loss = optimizer.step(closure)
    >>> w.data.round(4)
    array([1., 1.])
    """

    def __init__(
        self,
        params: Iterable[TensorBase] | Iterable[Group],
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise self._error(ValueError, "LBFGS doesn't support per-parameter options (parameter groups)")
        if len({p.data.dtype for p in self._params}) > 1:
            raise self._error(TypeError, "expected parameters of one dtype")

    def check(self, group: Group) -> None:
        """Raise for options that make no sense."""
        self._check_range(group, "lr", "learning rate")
        if group.get("max_norm") is not None:
            raise self._error(ValueError, "LBFGS has no max_norm: call nn.utils.max_norm_ behind its step")
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise self._error(ValueError, f"only 'strong_wolfe' is supported, got {group['line_search_fn']!r}")

    @property
    def _params(self) -> list[TensorBase]:
        return cast("list[TensorBase]", self.param_groups[0]["params"])

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take up to ``max_iter`` steps; returns the closure's first loss."""
        if closure is None:
            raise self._error(TypeError, "step needs a closure that computes the loss and its gradients")
        recording.reads_value("LBFGS")
        self.has_stepped = True
        group = self.param_groups[0]
        self.check(group)
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first, loss, gradient = self._evaluate(closure)
        state["func_evals"] += 1
        evaluations = 1
        if _largest(gradient) <= group["tolerance_grad"]:
            return first
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            d = state["d"] = self._direction(group, state, gradient)
            state["prev_flat_grad"], state["prev_loss"] = gradient, loss
            slope = _dot(gradient, d)
            start, t = Trial(0.0, loss, gradient, slope), float(group["lr"])
            if state["n_iter"] == 1:
                t *= min(1.0, 1 / float(_native.total_norm([gradient], 1.0)))
            state["t"] = t
            if slope > -group["tolerance_change"]:
                break
            used = 0
            if group["line_search_fn"] is not None:
                trial, used = self._search(group, closure, d, start, t, group["max_eval"] - evaluations)
                t, loss, gradient, _ = trial
                state["t"] = t
                self._move(d, t)
            else:
                self._move(d, t)
                if iteration < group["max_iter"]:  # the last point is evaluated by the next step
                    _, loss, gradient = self._evaluate(closure)
                    used = 1
            evaluations += used
            state["func_evals"] += used
            if (
                evaluations >= group["max_eval"]
                or _largest(gradient) <= group["tolerance_grad"]
                or _largest(d) * t <= group["tolerance_change"]
                or abs(loss - start.loss) < group["tolerance_change"]
            ):
                break
        return first

    def _direction(self, group: Group, state: State, gradient: Array) -> Array:
        """Learn from the last step, then return −H·g by the two-loop recursion (Nocedal and Wright, algorithm 7.4)."""
        if state["n_iter"] == 1:
            state |= {"old_dirs": [], "old_stps": [], "ro": [], "H_diag": 1.0}
            return _native.neg(gradient)
        ys, ss, ro = state["old_dirs"], state["old_stps"], state["ro"]
        y, s = _native.sub(gradient, state["prev_flat_grad"]), _native.mul(state["d"], state["t"])
        curvature = _dot(y, s)
        if curvature > 1e-10:
            if len(ys) == group["history_size"]:
                for history in (ys, ss, ro):
                    history.pop(0)
            ys.append(y)
            ss.append(s)
            ro.append(1 / curvature)
            state["H_diag"] = curvature / _dot(y, y)
        q = _native.neg(gradient)
        alphas = []
        for y, s, r in zip(reversed(ys), reversed(ss), reversed(ro), strict=True):
            alphas.append(_dot(s, q) * r)
            _native.add_scaled(q, y, -alphas[-1])
        d = _native.mul(q, state["H_diag"])
        for y, s, r, alpha in zip(ys, ss, ro, reversed(alphas), strict=True):
            _native.add_scaled(d, s, alpha - _dot(y, d) * r)
        return d

    def _search(
        self, group: Group, closure: Callable[[], Any], d: Array, start: Trial, t: float, evaluations: int
    ) -> tuple[Trial, int]:
        """Search along d and leave the parameters where they were."""
        home = [p.data.copy() for p in self._params]

        def evaluate(length: float) -> Trial:
            self._move(d, length)
            _, loss, gradient = self._evaluate(closure)
            for p, values in zip(self._params, home, strict=True):
                _native.assign(p.data, values)
            return Trial(length, loss, gradient, _dot(gradient, d))

        return strong_wolfe(evaluate, start, t, _largest(d), group["tolerance_change"], evaluations)

    def _evaluate(self, closure: Callable[[], Any]) -> tuple[Any, float, Array]:
        """Return the closure's loss, also as a number, and all gradients in one array."""
        with enable_grad():
            loss = closure()
        parts = [np.zeros(p.data.size, p.data.dtype) if p._grad is None else p._grad.ravel() for p in self._params]
        return loss, float(loss), np.concatenate(parts)

    def _move(self, d: Array, length: float) -> None:
        """Add ``length · d`` to the parameters."""
        start = 0
        for p in self._params:
            size = p.data.size
            _native.add_scaled(p.data, d[start : start + size], length)
            start += size

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over state and options, copied; arrays or torch tensors."""
        plain = dict(state_dict)
        if isinstance(state_dict.get("state"), dict):
            dtype = self._params[0].data.dtype
            plain["state"] = {k: {n: _plain(v, dtype) for n, v in s.items()} for k, s in state_dict["state"].items()}
        super().load_state_dict(plain)
        for p, state in self.state.items():
            state |= {n: v.item() for n, v in state.items() if isinstance(v, np.ndarray) and v.ndim == 0}
            state |= {n: int(state[n]) for n in ("func_evals", "n_iter") if n in state}
            state.pop("al", None)  # PyTorch's scratch
            self.state[p] = state


def _plain(value: Any, dtype: np.dtype[Any]) -> Any:
    """Return arrays for tensors, numbers for those of no dimension, also in lists."""
    if isinstance(value, list):
        return [_plain(v, dtype) for v in value]
    if not hasattr(value, "__array__"):
        return copy.deepcopy(value)
    array = np.array(value.__array__(), dtype=dtype)
    return array.item() if array.ndim == 0 else array


def _dot(x: Array, y: Array) -> float:
    return float(_native.dot(x, y))


def _largest(x: Array) -> float:
    return float(_native.total_norm([x], math.inf))
