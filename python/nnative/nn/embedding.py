"""Embedding: a table of rows that are looked up by index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnative import _native
from nnative.memory import aligned_zeros
from nnative.nn import init
from nnative.nn.module import Module
from nnative.nn.parameter import Parameter
from nnative.ops.gather import embedding, padding_row
from nnative.recording import state as recording_state
from nnative.tensor import Tensor

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class Embedding(Module):
    """Rows of a trained table, looked up by index: categories, words.

    Parameters
    ----------
    num_embeddings
        The number of rows.
    embedding_dim
        The size of a row.
    padding_idx
        A row that starts at zeros and gets no gradient; negative ones count from the end.
    max_norm
        Scale rows that are used and whose norm is larger to this norm, in place.
    norm_type
        p of that p-norm, above 0.
    scale_grad_by_freq
        Divide the gradient of a row by how often it occurs in the minibatch.
    sparse
        Accepted for PyTorch's sake if False: gradients are arrays of the weight's shape.
    dtype
        float32, the default, or float64.

    Attributes
    ----------
    weight
        (num_embeddings, embedding_dim), from N(0, 1).

    Raises
    ------
    ValueError
        For a ``padding_idx`` outside the rows.
    IndexError
        When called with an index outside [0, num_embeddings).

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> nn.Embedding(10, 3)(nnative.tensor([[1, 2], [0, 9]])).shape
    (2, 2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        for name, size in (("num_embeddings", num_embeddings), ("embedding_dim", embedding_dim)):
            if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 0:
                raise ValueError(f"[Embedding] expected {name} to be an integer of at least 0, got {size!r}")
        if sparse:
            raise ValueError("[Embedding] expected sparse=False: gradients are dense arrays")
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_row(padding_idx, num_embeddings)
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        wanted = np.dtype(np.float32 if dtype is None else dtype)
        self.weight = Parameter(aligned_zeros((num_embeddings, embedding_dim), wanted))
        self.reset_parameters()

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Any,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """Return an embedding of a given table, which it shares; ``freeze`` leaves it untrained.

        Examples
        --------
        >>> import nnative
        >>> from nnative import nn
        >>> nn.Embedding.from_pretrained(nnative.tensor([[1.0, 2.0], [3.0, 4.0]]))(nnative.tensor([1]))
        tensor([[3., 4.]])
        """
        table = Parameter(embeddings, requires_grad=not freeze)
        if table.ndim != 2:
            raise ValueError(f"[Embedding] expected a table of 2 dimensions, got shape {table.shape}")
        rows, columns = table.shape
        result = cls(rows, columns, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, table.dtype)
        result.weight = table
        return result

    def reset_parameters(self) -> None:
        """Draw the table anew, but for the row of padding, which is zeros."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            _native.fill(self.weight.data[self.padding_idx], 0.0)

    def forward(self, input: Any) -> Tensor:
        """Return the rows at integer indices of any shape."""
        recording = recording_state.recording
        if recording is not None:
            for name in ("padding_idx", "max_norm", "norm_type", "scale_grad_by_freq"):
                recording.watch(self, name)
        return embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor that are not as usual."""
        usual = {"padding_idx": None, "max_norm": None, "norm_type": 2.0, "scale_grad_by_freq": False}
        changed = [f"{name}={getattr(self, name)}" for name, value in usual.items() if getattr(self, name) != value]
        return ", ".join([f"{self.num_embeddings}, {self.embedding_dim}", *changed])
