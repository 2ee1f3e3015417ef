"""Dropout and noise as layers; each call in training has a mask of its own."""

from __future__ import annotations

from typing import Any

from nnative.nn.module import Module
from nnative.ops.dropout import (
    alpha_dropout,
    drop_probability,
    dropout,
    gaussian_dropout,
    gaussian_noise,
    noise_probability,
)
from nnative.recording import state as recording_state
from nnative.tensor import Tensor


class _Random(Module):
    """What the layers share: a recording relies on the attributes that say how random they are."""

    def _watch(self, *names: str) -> None:
        recording = recording_state.recording
        if recording is not None:
            for name in names:
                recording.watch(self, name)


class _Dropout(_Random):
    """A layer that drops elements with probability p; `nn.utils.mc_dropout` switches these on."""

    p: float

    def extra_repr(self) -> str:
        """Return the probability."""
        return f"p={self.p}"


class Dropout(_Dropout):
    """In training, set elements to zero with probability p and scale the others by 1/(1 − p); else return the input.

    Masks come from the default generator (`nnative.random.manual_seed`), a new one each call.

    Parameters
    ----------
    p
        The probability of dropping an element, 0.5 by default. PyTorch's meaning; the lecture notes also write p for
        the probability of keeping one.
    inplace
        Accepted for PyTorch's sake, without effect.
    keep
        The probability of keeping an element, instead of p.
    mode
        ``"inverted"``, or ``"classic"`` for the paper's form: no scaling in training, multiplication by 1 − p in
        evaluation.

    Raises
    ------
    ValueError
        For probabilities outside [0, 1], for p beside keep, and for other modes.

    References
    ----------
    N. Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting, JMLR 2014.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> layer = nn.Dropout(keep=0.75).eval()
    >>> layer(nnative.ones(2))
    tensor([1., 1.])
    """

    def __init__(
        self, p: float | None = None, inplace: bool = False, *, keep: float | None = None, mode: str = "inverted"
    ) -> None:
        super().__init__()
        self.p = drop_probability(p, keep, mode)
        self.inplace = inplace
        self.mode = mode

    def forward(self, input: Any) -> Tensor:
        """Return the input with elements dropped in training."""
        self._watch("p", "mode")
        return dropout(input, self.p, self.training, mode=self.mode)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor."""
        mode = "" if self.mode == "inverted" else f", mode={self.mode!r}"
        return f"p={self.p}, inplace={self.inplace}{mode}"


class AlphaDropout(_Dropout):
    r"""Dropout for SELU: elements become its limit at random, and mean 0 and variance 1 stay what they are.

    In training an element becomes :math:`a\alpha' + b` with probability p and :math:`ax + b` else, with
    :math:`\alpha' = -\lambda\alpha \approx -1.7581`, :math:`a = ((1 + p\alpha'^2)(1-p))^{-1/2}` and
    :math:`b = -ap\alpha'`; evaluation returns the input.

    Parameters
    ----------
    p
        The probability of dropping an element.
    inplace
        Accepted for PyTorch's sake, without effect.

    Raises
    ------
    ValueError
        For probabilities outside [0, 1].

    References
    ----------
    G. Klambauer et al., Self-normalizing neural networks, NeurIPS 2017.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> len(set(nn.AlphaDropout(0.5)(nnative.zeros(1000)).tolist()))
    2
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        self.p = drop_probability(p, None, name="alpha_dropout")
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        """Return the input with elements dropped in training."""
        self._watch("p")
        return alpha_dropout(input, self.p, self.training)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor."""
        return f"p={self.p}, inplace={self.inplace}"


class GaussianDropout(_Dropout):
    r"""In training, multiply by normal numbers of mean 1 and variance :math:`p/(1-p)`; else return the input.

    Parameters
    ----------
    p
        The probability of the dropout whose moments these are, below 1; 0.5 by default.
    keep
        1 − p, instead of p.

    Raises
    ------
    ValueError
        For p outside [0, 1), and for p beside keep.

    References
    ----------
    N. Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting, JMLR 2014, section 10.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> nn.GaussianDropout(0.2).eval()(nnative.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, p: float | None = None, *, keep: float | None = None) -> None:
        super().__init__()
        self.p = noise_probability(p, keep)

    def forward(self, input: Any) -> Tensor:
        """Return input times noise in training."""
        self._watch("p")
        return gaussian_dropout(input, self.p, self.training)


class GaussianNoise(_Random):
    """In training, add normal numbers of mean 0 and standard deviation ``std``; else return the input.

    On the inputs of a network it is the lectures' regularisation by noise.

    Parameters
    ----------
    std
        The standard deviation.

    Raises
    ------
    ValueError
        For a negative or infinite ``std``, when called.

    References
    ----------
    C. M. Bishop, Training with noise is equivalent to Tikhonov regularization, Neural Computation 1995.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> nn.GaussianNoise(0.1).eval()(nnative.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, std: float = 1.0) -> None:
        super().__init__()
        self.std = std

    def forward(self, input: Any) -> Tensor:
        """Return the input with noise in training."""
        self._watch("std")
        return gaussian_noise(input, self.std, self.training)

    def extra_repr(self) -> str:
        """Return the standard deviation."""
        return f"std={self.std}"
