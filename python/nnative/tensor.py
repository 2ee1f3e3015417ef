"""Tensor: one C-contiguous ndarray, its gradient, and the operators that put operations on the tape."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from nnative import _native, autograd, ops
from nnative.autograd import Array, TensorBase, wrap
from nnative.conversion import as_data
from nnative.grad_mode import is_grad_enabled
from nnative.recording import reads_value

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from nnative.tensor_hooks import TensorHandle

Self = TypeVar("Self", bound="Tensor")


class Tensor(TensorBase):
    """An ndarray that remembers how it was computed.

    Parameters
    ----------
    data
        A number, (nested) lists of numbers, an ndarray, whose memory is shared if it is C-contiguous, or a Tensor.
        Python floats become float32; arrays keep their dtype, which is float32, float64, an integer type or bool.
    requires_grad
        Whether `backward` computes a gradient for this tensor; of float32 and float64 only.
    dtype
        Convert the data to this dtype.

    Raises
    ------
    TypeError
        For data of another dtype (complex, object, float16), and for a gradient of integers.

    Examples
    --------
    >>> import nnative
    >>> w = nnative.Tensor([1.0, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> w.grad
    array([2., 4.], dtype=float32)
    """

    __slots__ = ()
    __array_ufunc__ = None  # ndarray + Tensor is Tensor.__radd__

    def __init__(self, data: Any, requires_grad: bool = False, dtype: DTypeLike | None = None) -> None:
        self._data = as_data(data, dtype, type(self).__name__)
        self._grad = self._node = None
        self._requires_grad = False
        if requires_grad:
            self.requires_grad = True

    def __reduce__(self) -> Any:
        if self._node is not None:
            raise RuntimeError(
                f"[Tensor] the result of {type(self._node).__name__} can be neither copied with copy nor pickled: "
                "use detach() or clone()"
            )
        return _rebuild, (type(self), self._data, self._requires_grad)

    def __deepcopy__(self: Self, memo: dict[int, Any]) -> Self:
        import copy  # here, since it takes a while to import

        rebuild, (cls, data, requires_grad) = self.__reduce__()
        result: Self = rebuild(cls, data.copy(), requires_grad)
        result._grad = copy.deepcopy(self._grad, memo)
        return result

    # What the array is

    @property
    def shape(self) -> tuple[builtins.int, ...]:
        """The size of each dimension."""
        return self._data.shape

    @property
    def ndim(self) -> builtins.int:
        """The number of dimensions."""
        return self._data.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy's dtype of the data."""
        return self._data.dtype

    def size(self, dim: builtins.int | None = None) -> Any:
        """Return the shape, or the size of one dimension."""
        return self._data.shape if dim is None else self._data.shape[dim]

    def numel(self) -> builtins.int:
        """Return the number of elements."""
        return self._data.size

    def dim(self) -> builtins.int:
        """Return the number of dimensions."""
        return self._data.ndim

    def __len__(self) -> builtins.int:
        return len(self._data)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    def __repr__(self) -> str:
        return _repr(self)

    # The way to NumPy and Python

    def numpy(self) -> Array:
        """Return the data, sharing memory."""
        reads_value("numpy()")
        return self._data

    def __array__(self, dtype: Any = None, copy: builtins.bool | None = None) -> Array:
        reads_value("conversion to an array")
        if copy:
            return np.array(self._data, dtype=dtype)
        return np.asarray(self._data, dtype=dtype)

    def tolist(self) -> Any:
        """Return the data as nested lists of Python numbers."""
        reads_value("tolist()")
        return self._data.tolist()

    def item(self) -> Any:
        """Return the only element as a Python number; ValueError for another number of elements."""
        if self._data.size != 1:
            raise ValueError(f"[item] expected a tensor of one element, got shape {self._data.shape}")
        reads_value("item()")
        return self._data.item()

    def __float__(self) -> builtins.float:
        reads_value("float()")
        return builtins.float(self.item())

    def __int__(self) -> builtins.int:
        reads_value("int()")
        return builtins.int(self.item())

    def __index__(self) -> builtins.int:
        if self._data.dtype.kind not in "iu":
            raise TypeError(f"[index] expected an integer tensor, got {self._data.dtype}")
        reads_value("use as an index")
        return builtins.int(self.item())

    def __bool__(self) -> builtins.bool:
        if self._data.size != 1:
            raise ValueError(f"[bool] the truth of a tensor of shape {self._data.shape} is ambiguous")
        reads_value("bool()")
        return builtins.bool(self._data.item())

    # Copies

    def detach(self) -> Tensor:
        """Return a tensor that shares the data and not the tape."""
        return wrap(self._data)

    def clone(self) -> Tensor:
        """Return a copy; gradients flow back through it."""
        return ops.clone(self)

    def to(self, dtype: DTypeLike) -> Tensor:
        """Return the tensor in another dtype, itself if it has it; gradients flow back through the conversion."""
        return ops.cast(self, dtype)

    def float(self) -> Tensor:
        """Return the tensor in float32."""
        return ops.cast(self, np.float32)

    def double(self) -> Tensor:
        """Return the tensor in float64."""
        return ops.cast(self, np.float64)

    def requires_grad_(self: Self, requires_grad: builtins.bool = True) -> Self:
        """Set ``requires_grad`` and return the tensor."""
        self.requires_grad = requires_grad
        return self

    def register_hook(self, hook: Callable[[Tensor], Any]) -> TensorHandle:
        """Call ``hook(grad)`` when the tensor's gradient is known; what it returns, unless None, replaces it.

        The gradient of a leaf is the sum of one backward pass, before it is added to ``grad``. In a recorded step hooks
        run while it is recorded: what they compute with tensors is part of the recording.

        Parameters
        ----------
        hook
            A function of a tensor that returns None, or a gradient of the same shape and dtype.

        Returns
        -------
        TensorHandle
            Its ``remove()`` takes the hook away, as does the end of a ``with`` block.

        Raises
        ------
        RuntimeError
            For a tensor that requires no gradient.

        Examples
        --------
        >>> import nnative
        >>> x = nnative.ones(2, requires_grad=True)
        >>> handle = x.register_hook(lambda grad: grad.clip(-1.0, 1.0))
        >>> (x * 3).sum().backward()
        >>> x.grad
        array([1., 1.], dtype=float32)
        """
        from nnative import tensor_hooks  # here, since few need it

        return tensor_hooks.register(self, hook)

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self.grad = None

    # Operators. Functions are methods as they are, without another call in between.

    __add__ = __radd__ = add = ops.add
    __sub__ = sub = ops.sub
    __mul__ = __rmul__ = mul = ops.mul
    __truediv__ = div = ops.div
    __pow__ = pow = ops.pow
    __matmul__ = matmul = ops.matmul
    __neg__ = neg = ops.neg
    __abs__ = abs = ops.abs
    __getitem__ = ops.index
    __eq__ = eq = ops.eq
    __ne__ = ne = ops.ne
    __lt__ = lt = ops.lt
    __le__ = le = ops.le
    __gt__ = gt = ops.gt
    __ge__ = ge = ops.ge
    __hash__ = object.__hash__

    exp, log, sqrt = ops.exp, ops.log, ops.sqrt
    maximum, minimum = ops.maximum, ops.minimum
    clip = clamp = ops.clip
    sum, mean, max, min, argmax = ops.sum, ops.mean, ops.max, ops.min, ops.argmax
    reshape = view = ops.reshape
    flatten, permute, transpose = ops.flatten, ops.permute, ops.transpose
    squeeze, unsqueeze, broadcast_to = ops.squeeze, ops.unsqueeze, ops.broadcast_to

    def __rsub__(self, other: Any) -> Tensor:
        return ops.sub(other, self)

    def __rtruediv__(self, other: Any) -> Tensor:
        return ops.div(other, self)

    def __rpow__(self, other: Any) -> Tensor:
        return ops.pow(other, self)

    def __rmatmul__(self, other: Any) -> Tensor:
        return ops.matmul(other, self)

    def __iter__(self) -> Iterator[Tensor]:
        if not self._data.ndim:
            raise TypeError("[iter] expected a tensor of at least one dimension, got shape ()")
        return (self[i] for i in range(len(self._data)))

    # Equality is elementwise, so that the default would answer with the truth of a tensor.
    def __contains__(self, value: Any) -> builtins.bool:
        reads_value("in")
        return builtins.bool(np.any(ops.eq(self, value)._data))

    @property
    def T(self) -> Tensor:
        """The tensor with its dimensions in reverse order."""
        return ops.permute(self, tuple(reversed(range(self._data.ndim))))

    def __iadd__(self: Self, other: Any) -> Self:  # type: ignore[misc]
        return _in_place(self, ops.add(self, other), "+=")

    def __isub__(self: Self, other: Any) -> Self:  # type: ignore[misc]
        return _in_place(self, ops.sub(self, other), "-=")

    def __imul__(self: Self, other: Any) -> Self:  # type: ignore[misc]
        return _in_place(self, ops.mul(self, other), "*=")

    def __itruediv__(self: Self, other: Any) -> Self:  # type: ignore[misc]
        return _in_place(self, ops.div(self, other), "/=")


def _in_place(tensor: Self, result: Tensor, operator: str) -> Self:
    """Write a result into the tensor or, if it is on the tape, return it instead."""
    if is_grad_enabled() and tensor._requires_grad and tensor._node is None:
        raise RuntimeError(f"[{operator}] a leaf that requires a gradient changes in place within no_grad() only")
    if result._requires_grad:
        return result  # type: ignore[return-value]
    if result._data.shape != tensor._data.shape:
        raise ValueError(f"[{operator}] expected a result of shape {tensor._data.shape}, got {result._data.shape}")
    if not tensor._data.flags.writeable:
        raise ValueError(f"[{operator}] expected a tensor that can be written, got a read-only array of {tensor.shape}")
    _native.assign(tensor._data, result._data)
    return tensor


def _rebuild(cls: type[Self], data: Array, requires_grad: bool) -> Self:
    return cls(data, requires_grad)


def _repr(tensor: Tensor) -> str:
    data = tensor._data
    whole = data.dtype.kind != "f" or bool(np.all(~np.isfinite(data) | (data == np.rint(data))))
    floatmode: Any = "unique" if whole else "fixed"
    text = np.array2string(data, precision=4, floatmode=floatmode, separator=", ", prefix="tensor(", threshold=1000)
    suffix = "" if data.dtype in (np.float32, np.int64, np.bool_) else f", dtype={data.dtype}"
    if data.size == 0 and data.ndim != 1:
        suffix += f", size={data.shape}"
    if tensor._node is not None:
        suffix += f", grad_fn=<{type(tensor._node).__name__}>"
    elif tensor._requires_grad:
        suffix += ", requires_grad=True"
    return f"tensor({text}{suffix})"


autograd.set_tensor_type(Tensor)
