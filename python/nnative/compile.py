"""Record a step once, replay it natively.

`compile` runs the decorated function in Python the first time that it sees arguments of some shapes, while the runtime
notes every kernel that is launched. Later calls replay those launches in C++, in one parallel region and without the
GIL. Each operation has one implementation, so a replay gives the same bits as the eager call.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Sequence
from typing import Any, overload

import numpy as np

from nnative import _native, random
from nnative.autograd import Array, TensorBase, wrap
from nnative.recording import Recording, Stale
from nnative.recording import state as observed
from nnative.tensor import Tensor

_KEPT = 16  # recordings of one function; the one unused for longest goes first


@overload
def compile(function: Callable[..., Any], *, fuse: bool = True, frozen: bool = False) -> Compiled: ...
@overload
def compile(*, fuse: bool = True, frozen: bool = False) -> Callable[[Callable[..., Any]], Compiled]: ...
def compile(function: Callable[..., Any] | None = None, *, fuse: bool = True, frozen: bool = False) -> Any:
    """Make a function of arrays record itself on its first call and replay natively from then on.

    The function takes tensors or arrays (and constants), and returns a `Tensor`, None, or a tuple, list or dict of
    them. It may do whole training steps: forward pass, ``backward``, several optimizers; Python in it runs only while
    recording.

    A recording holds for arguments of the same shapes and dtypes and as long as nothing it used has changed:
    ``train()`` and ``eval()``, a parameter's array, gradients switched on or off. Otherwise the function is recorded
    again, or an earlier recording that fits is taken. Learning rates and other optimizer settings may change at any
    time.

    Parameters
    ----------
    function
        The step. Without it a decorator is returned: ``@nnative.compile(frozen=True)``.
    fuse
        Let matrix products apply the activation behind them. The results have the same bits either way.
    frozen
        For prediction: take weights as they are now, packed once for the products. A later change of their numbers
        is not seen.

    Raises
    ------
    RuntimeError
        When the function looks at a value while it is recorded (``item()``, ``float()``, ``if tensor:``) or computes in
        NumPy what a kernel then uses: a replay could not do the same.
    ValueError
        After a replay in which a loss met a class index out of range; that row had no gradient.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> model = nnative.nn.Linear(4, 2)
    >>> optimizer = nnative.optim.SGD(model.parameters(), lr=0.1)
    >>> loss_function = nnative.nn.CrossEntropyLoss()
    >>> @nnative.compile
    ... def step(x, y):
    ...     optimizer.zero_grad()
    ...     loss = loss_function(model(x), y)
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> x, y = np.ones((8, 4), np.float32), np.zeros(8, np.int64)
    >>> first, second = step(x, y), step(x, y)  # recorded, replayed
    >>> second.item() < first.item()
    True
    """
    if function is None:
        return lambda f: Compiled(f, fuse, frozen)
    return Compiled(function, fuse, frozen)


class Compiled(_native.Replayer):
    """A function with its recordings; made by `compile`.

    A call replays the recording used last: in C++, since a step may take no longer than some lines of Python. What
    does not fit it comes to `_call`.
    """

    def __init__(self, function: Callable[..., Any], fuse: bool, frozen: bool) -> None:
        super().__init__()
        functools.update_wrapper(self, function)
        self.function = function
        self.fuse = fuse
        self.frozen = frozen
        self._recordings: list[_Recorded] = []  # last used first

    def __reduce__(self) -> tuple[type[Compiled], tuple[Any, ...]]:
        """Copy without the recordings: those are of the arrays that the original uses."""
        return Compiled, (self.function, self.fuse, self.frozen)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Replay any recording that fits, or record."""
        if observed.recording is not None:  # part of an outer recording
            return self.function(*args, **kwargs)
        names = tuple(kwargs)
        arguments = tuple([_argument(a) for a in (*args, *kwargs.values())])
        if observed.observer is not None:  # which wants to see every operation
            return _run_eagerly(self.function, arguments, names)[1]
        for recorded in self._recordings:
            if recorded.names == names:
                with contextlib.suppress(Stale):
                    values = recorded.replay(*arguments)
                    if values is not None:
                        self._use(recorded)
                        return recorded.result(values)
        recorded, result = self._record(arguments, names)
        self._use(recorded)
        return result

    def _record(self, arguments: tuple[Any, ...], names: tuple[str, ...]) -> tuple[_Recorded, Any]:
        return _record(self.function, arguments, names, self.fuse, self.frozen)

    def _use(self, recorded: _Recorded) -> None:
        if recorded in self._recordings:
            self._recordings.remove(recorded)
        self._recordings.insert(0, recorded)
        del self._recordings[_KEPT:]
        self._replay_first(None if recorded.names else recorded.replay, None if recorded.single else recorded.result)

    def epoch(
        self,
        *arrays: Any,
        batch_size: int,
        shuffle: bool = True,
        generator: random.Generator | None = None,
        drop_last: bool = False,
        scale: float | None = None,
    ) -> Any:
        """Run the step on every minibatch of arrays in memory, natively, and return its results as arrays.

        Equal, bit for bit, to calling the step on ``[a[order[i : i + batch_size]] for a in arrays]`` for each i, where
        order is ``generator.permutation(n)``, or 0 … n-1 without ``shuffle``. Ctrl-C stops between two batches.

        Parameters
        ----------
        *arrays
            The arguments of the step, of n rows each.
        batch_size
            Rows of a minibatch. A last smaller one has a recording of its own.
        shuffle
            Take the rows in a random order, from ``generator`` (default: nnative's own).
        drop_last
            Leave a last smaller minibatch out.
        scale
            Multiply uint8 arrays of two or more dimensions (images) by this and convert them to float32 on the way.

        Returns
        -------
        ndarray or a structure of them
            What the step returns, which must be tensors of one element, as arrays of one value a minibatch.
        """
        data = [_epoch_array(a, scale, i) for i, a in enumerate(arrays)]
        n = _check_epoch(data, batch_size)
        order = (generator or random.default_generator).permutation(n) if shuffle else None
        last = n if not drop_last else n - n % batch_size
        parts: list[list[Array]] = []
        recorded: _Recorded | None = None
        start = 0
        while start < last:
            rows = min(batch_size, last - start)
            batch = [np.empty((rows, *a.shape[1:]), _fed_dtype(a, scale)) for a in data]
            fitting = (r for r in self._recordings if not r.names and r.replay.fits(tuple(batch)))
            recorded = None if observed.observer is not None else next(fitting, None)
            if recorded is None:
                chosen = slice(start, start + rows)
                picked = tuple([_take(a, chosen if order is None else order[chosen], scale) for a in data])
                if observed.observer is not None:
                    recorded, result = _run_eagerly(self.function, picked, ())
                else:
                    recorded, result = self._record(picked, ())
                    self._use(recorded)
                recorded.check_scalars()
                parts.append([np.reshape(t.data, 1) for t in recorded.flat(result)])
                start += rows
                continue
            recorded.check_scalars()
            self._use(recorded)
            end = last - (last - start) % rows
            with contextlib.suppress(Stale):  # then another recording is looked for
                parts.append(recorded.replay.epoch(data, order, start, end, 1.0 if scale is None else scale))
                start = end
        if recorded is None:
            raise ValueError(f"[epoch] {n} rows make no minibatch of {batch_size}")
        return recorded.rebuild([np.concatenate(values) for values in zip(*parts, strict=True)])


class _Recorded:
    """A replay with the structure of its results."""

    def __init__(
        self,
        replay: Any,
        names: tuple[str, ...],
        structure: Any,
        shapes: list[tuple[int, ...]],
    ) -> None:
        self.replay = replay
        self.names = names
        self.structure = structure
        self.shapes = shapes
        self.single = structure is _Leaf

    def result(self, values: Any) -> Any:
        if self.single:
            return wrap(values)
        return _rebuild(self.structure, iter([values] if len(self.shapes) == 1 else values), Tensor)

    def rebuild(self, values: list[Array]) -> Any:
        return _rebuild(self.structure, iter(values), lambda array: array)

    def flat(self, result: Any) -> list[Tensor]:
        leaves: list[Tensor] = []
        _flatten(result, leaves)
        return leaves

    def check_scalars(self) -> None:
        for shape in self.shapes:
            if int(np.prod(shape)) != 1:
                raise ValueError(f"[epoch] the step must return tensors of one element, got shape {shape}")


class _Leaf:
    """Marks the place of a tensor in the structure of the results."""


def _flatten(value: Any, leaves: list[Any]) -> Any:
    if isinstance(value, TensorBase):
        leaves.append(value)
        return _Leaf
    if isinstance(value, tuple | list):
        return type(value)([_flatten(v, leaves) for v in value])
    if isinstance(value, dict):
        return {key: _flatten(v, leaves) for key, v in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        raise RuntimeError("[compile] the function returns a NumPy array: return the Tensor, a replay computes it anew")
    return value


def _rebuild(structure: Any, values: Any, wrap: Callable[[Array], Any]) -> Any:
    if structure is _Leaf:
        return wrap(next(values))
    if isinstance(structure, tuple | list):
        return type(structure)([_rebuild(s, values, wrap) for s in structure])
    if isinstance(structure, dict):
        return {key: _rebuild(s, values, wrap) for key, s in structure.items()}
    return structure


def _argument(value: Any) -> Any:
    """Return arrays and tensors as arrays that kernels take (integers as int64), anything else as it is."""
    array = value.data if isinstance(value, TensorBase) else value
    if not isinstance(array, np.ndarray):
        return value
    return array.astype(np.int64) if array.dtype.kind in "iu" and array.dtype != np.int64 else array


def _run_eagerly(
    function: Callable[..., Any], arguments: tuple[Any, ...], names: tuple[str, ...]
) -> tuple[_Recorded, Any]:
    """Run the function before an observer; the result is what a replay would give, of which it has the structure."""
    inputs = [Tensor(a.copy()) if isinstance(a, np.ndarray) else a for a in arguments]
    leaves: list[Tensor] = []
    structure = _flatten(_apply(function, inputs, names), leaves)
    copies = [np.array(leaf.data) for leaf in leaves]
    recorded = _Recorded(None, names, structure, [c.shape for c in copies])
    return recorded, _rebuild(structure, iter(copies), Tensor)


def _apply(function: Callable[..., Any], inputs: list[Any], names: tuple[str, ...]) -> Any:
    """Call a function, the last arguments by name."""
    positional = len(inputs) - len(names)
    return function(*inputs[:positional], **dict(zip(names, inputs[positional:], strict=True)))


def _record(
    function: Callable[..., Any], arguments: tuple[Any, ...], names: tuple[str, ...], fuse: bool, frozen: bool
) -> tuple[_Recorded, Any]:
    """Run the function once, in the usual way, and note what it launches."""
    # Arrays of its own stand for the arguments: the caller's may be changed, or be given twice.
    buffers = [np.array(a, order="C") for a in arguments if isinstance(a, np.ndarray)]
    constants = [None if isinstance(a, np.ndarray) else _constant(a) for a in arguments]
    tensors = iter([Tensor(b) for b in buffers])
    inputs = [next(tensors) if isinstance(a, np.ndarray) else a for a in arguments]
    native = _native.Recording(buffers)
    with Recording(native) as recording:
        recording.watch(observed, "grad_enabled")
        result = _apply(function, inputs, names)
    del inputs, tensors
    leaves: list[Tensor] = []
    structure = _flatten(result, leaves)
    del result
    copies = [_noted(native, t.data) for t in leaves]
    leaves.clear()  # with them the tape goes, and what it kept becomes temporary memory of the program
    state = recording.state()
    replay = native.seal(constants, state.watches, state.gradients, state.refreshers, recording.labels, fuse, frozen)
    recorded = _Recorded(replay, names, structure, [c.shape for c in copies])
    return recorded, _rebuild(structure, iter(copies), Tensor)


def _constant(value: Any) -> tuple[Any, bool]:
    """Return what a later argument must equal, and whether the caller may change it in place."""
    if not isinstance(value, tuple | list | dict | set):
        return value, False
    import copy

    _refuse_arrays(value)
    return copy.deepcopy(value), True


def _refuse_arrays(value: Any) -> None:
    """Raise TypeError for arrays within a container: a replay takes arrays as arguments of their own."""
    if isinstance(value, np.ndarray | TensorBase):
        raise TypeError("[compile] expected tensors and arrays as arguments of their own, got one within a container")
    if isinstance(value, tuple | list | set):
        for item in value:
            _refuse_arrays(item)
    if isinstance(value, dict):
        for item in value.values():
            _refuse_arrays(item)


def _noted(native: Any, result: Array) -> Array:
    """Return a copy of a result of the function, whose place the recording notes."""
    native.add_result(result)
    return np.array(result)


def _epoch_array(value: Any, scale: float | None, position: int) -> Array:
    array = value.data if isinstance(value, TensorBase) else value
    if not isinstance(array, np.ndarray) or array.ndim == 0:
        got = type(value).__name__ if not isinstance(array, np.ndarray) else "an array of no dimension"
        raise TypeError(f"[epoch] argument {position} must be an array of rows, got {got}")
    if _scaled(array, scale):
        return np.ascontiguousarray(array)
    return np.ascontiguousarray(_argument(array))


def _scaled(array: Array, scale: float | None) -> bool:
    return scale is not None and array.dtype == np.uint8 and array.ndim > 1


def _fed_dtype(array: Array, scale: float | None) -> Any:
    return np.dtype(np.float32) if _scaled(array, scale) else array.dtype


def _take(array: Array, rows: Array | slice, scale: float | None) -> Array:
    taken = array[rows]
    return taken.astype(np.float32) * np.float32(scale) if _scaled(array, scale) else taken


def _check_epoch(data: Sequence[Array], batch_size: int) -> int:
    if not data:
        raise TypeError("[epoch] expected at least one array")
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(f"[epoch] expected a batch_size of at least 1, got {batch_size!r}")
    lengths = [len(a) for a in data]
    if len(set(lengths)) > 1:
        raise ValueError(f"[epoch] expected arrays of the same number of rows, got {lengths}")
    return lengths[0]
