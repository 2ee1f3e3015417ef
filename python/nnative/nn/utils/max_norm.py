"""The max-norm constraint."""

from __future__ import annotations

from collections.abc import Iterable

from nnative import _native
from nnative.autograd import TensorBase
from nnative.recording import state as recording_state


def max_norm_(parameters: TensorBase | Iterable[TensorBase], max_norm: float) -> None:
    r"""Scale each unit's incoming weights whose norm is above ``max_norm`` to it, in place.

    :math:`w \leftarrow w \cdot \min(1, \frac{c}{\|w\|_2})` for each row w of a weight, such as `Linear`'s; one native
    launch. Call it after the optimizer's step; it can be recorded with it. ``max_norm`` in a parameter group of the
    optimizer does the same within the update.

    Parameters
    ----------
    parameters
        A tensor or several. Those with less than two dimensions, as biases, are left alone; of more than two, a row is
        all that belongs to one index of the first.
    max_norm
        c; 3 or 4 beside dropout. In a recorded step it stays what it was.

    Raises
    ------
    ValueError
        Unless ``max_norm`` is a number of at least 0.

    References
    ----------
    N. Srebro and A. Shraibman, Rank, trace-norm and max-norm, COLT 2005. N. Srivastava et al., Dropout: a simple way to
    prevent neural networks from overfitting, JMLR 2014.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative import nn
    >>> layer = nn.Linear(2, 2)
    >>> layer.weight.data[...] = [[3.0, 4.0], [0.3, 0.4]]
    >>> nn.utils.max_norm_(layer.parameters(), 1.0)
    >>> layer.weight.data.round(4)
    array([[0.6, 0.8],
           [0.3, 0.4]], dtype=float32)
    """
    if not max_norm >= 0:
        raise ValueError(f"[max_norm_] expected a norm of at least 0, got {max_norm}")
    several = [parameters] if isinstance(parameters, TensorBase) else list(parameters)
    weights = [p for p in several if p.data.ndim > 1]
    if recording_state.recording is not None:
        for p in weights:
            recording_state.recording.use(p)
    _native.limit_rows([p.data for p in weights], float(max_norm))
