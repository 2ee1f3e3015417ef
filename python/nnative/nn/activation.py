"""Activations as modules; more of them in rectifier.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from nnative.nn.module import Module
from nnative.ops import activation, smooth
from nnative.recording import state as recording_state
from nnative.tensor import Tensor


class Identity(Module):
    """Return the input; any arguments of the constructor are ignored, so that it can stand in for a layer.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> nn.Identity(54, unused=True)(nnative.tensor([1.0]))
    tensor([1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """Return the input."""
        return input


class Activation(Module):
    """Base of the activations: a function of the input and of the attributes that ``options`` names."""

    function: ClassVar[Callable[..., Tensor]]
    options: ClassVar[tuple[str, ...]] = ()

    def forward(self, input: Any) -> Tensor:
        """Return the function of the input, elementwise or along a dimension."""
        if not self.options:
            return self.function(input)
        recording = recording_state.recording
        if recording is not None:
            for name in self.options:
                recording.watch(self, name)
        return self.function(input, *[getattr(self, name) for name in self.options])

    def extra_repr(self) -> str:
        """Return the arguments of the constructor."""
        parts = [f"{name}={getattr(self, name)!r}" for name in self.options]
        return ", ".join([*parts, "inplace=True"] if getattr(self, "inplace", False) else parts)


class InPlace(Activation):
    """Base of the activations that accept PyTorch's ``inplace``, which has no effect here."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


class ReLU(InPlace):
    """max(x, 0); see `functional.relu`.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> nn.ReLU()(nnative.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    function = staticmethod(activation.relu)


class LeakyReLU(InPlace):
    """x where x is positive, ``negative_slope`` · x elsewhere; see `functional.leaky_relu`.

    The lecture notes use a slope of 0.1.
    """

    function = staticmethod(activation.leaky_relu)
    options = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope


class GELU(Activation):
    """x · Φ(x), Φ being the normal distribution function; or its approximation by tanh; see `functional.gelu`."""

    function = staticmethod(smooth.gelu)
    options = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate


class SiLU(InPlace):
    """x · σ(x), also called swish; see `functional.silu`."""

    function = staticmethod(smooth.silu)


class Mish(InPlace):
    """x · tanh(log(1 + exp(x))); see `functional.mish`."""

    function = staticmethod(smooth.mish)


class Sigmoid(Activation):
    """1 / (1 + exp(−x)); see `functional.sigmoid`."""

    function = staticmethod(activation.sigmoid)


class LogSigmoid(Activation):
    """−log(1 + exp(−x)); see `functional.logsigmoid`."""

    function = staticmethod(smooth.logsigmoid)


class Tanh(Activation):
    """The hyperbolic tangent; see `functional.tanh`."""

    function = staticmethod(activation.tanh)


class Tanhshrink(Activation):
    """x − tanh(x); see `functional.tanhshrink`."""

    function = staticmethod(smooth.tanhshrink)


class Softplus(Activation):
    """log(1 + exp(beta · x)) / beta, and x where beta · x is above ``threshold``; see `functional.softplus`."""

    function = staticmethod(smooth.softplus)
    options = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold


class Softsign(Activation):
    """x / (1 + |x|); see `functional.softsign`."""

    function = staticmethod(smooth.softsign)


class Step(Activation):
    """1 where x is positive, else 0, also at 0; its gradient is 0; see `functional.step`."""

    function = staticmethod(activation.step)


class Sign(Activation):
    """1 where x is positive, else −1, also at 0; its gradient is 0; see `functional.sign`."""

    function = staticmethod(activation.sign)


class GLU(Activation):
    """a · σ(b) of the two halves a and b along ``dim``; see `functional.glu`."""

    function = staticmethod(activation.glu)
    options = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim


class Softmin(Activation):
    """exp(−x) divided by its sum along ``dim``; see `functional.softmin`."""

    function = staticmethod(activation.softmin)
    options = ("dim",)

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim


class Softmax(Activation):
    """exp(x) divided by its sum along ``dim``; for training use `CrossEntropyLoss` on the logits.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> nn.Softmax(dim=-1)(nnative.zeros(1, 2))
    tensor([[0.5000, 0.5000]])
    """

    function = staticmethod(activation.softmax)
    options = ("dim",)

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim


class LogSoftmax(Activation):
    """The logarithm of the softmax along ``dim``, computed without overflow; see `functional.log_softmax`."""

    function = staticmethod(activation.log_softmax)
    options = ("dim",)

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim
