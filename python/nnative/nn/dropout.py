"""Dropout as a layer."""

from __future__ import annotations

from typing import Any

from nnative.nn.module import Module
from nnative.ops.dropout import drop_probability, dropout
from nnative.recording import state as recording_state
from nnative.tensor import Tensor


class Dropout(Module):
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

    def forward(self, x: Any) -> Tensor:
        """Return x with elements dropped in training."""
        recording = recording_state.recording
        if recording is not None:
            recording.watch(self, "p")
        return dropout(x, self.p, self.training, mode=self.mode)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor."""
        mode = "" if self.mode == "inverted" else f", mode={self.mode!r}"
        return f"p={self.p}, inplace={self.inplace}{mode}"
