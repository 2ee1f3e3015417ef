"""Module: parameters, buffers and submodules found by attribute, and what is done to all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from nnative import _native
from nnative.nn.hooks import Hookable, call
from nnative.nn.parameter import Parameter
from nnative.nn.state import LoadResult, load_entries
from nnative.recording import state as recording_state
from nnative.tensor import Tensor

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from nnative.nn.summary import Summary

M = TypeVar("M", bound="Module")


class Module(Hookable):
    """Base class of layers and networks: assign parameters and modules to attributes and write ``forward``.

    A `Parameter` or `Module` is registered by being an attribute; nothing else is kept, so that reading an attribute is
    as fast as in any class. Assigning something else over one is a TypeError, None removes it.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden = nn.Linear(4, 8)
    ...         self.out = nn.Linear(8, 2)
    ...     def forward(self, x):
    ...         return self.out(nn.functional.relu(self.hidden(x)))
    >>> net = Net()
    >>> net(nnative.zeros(3, 4)).shape
    (3, 2)
    >>> [name for name, _ in net.named_parameters()]
    ['hidden.weight', 'hidden.bias', 'out.weight', 'out.bias']
    >>> net
    Net(
      (hidden): Linear(in_features=4, out_features=8, bias=True)
      (out): Linear(in_features=8, out_features=2, bias=True)
    )
    """

    __slots__ = ("training",)  # which a replay compares before each step

    training: bool
    # Names of buffers, with whether the state_dict has them. Replaced, not changed, by register_buffer.
    _buffer_names: dict[str, bool] = {}

    if not TYPE_CHECKING:  # for which other attributes stay unknown

        def __getattr__(self, name: str) -> Any:
            """Return the mode of a new module; any other attribute is missing."""
            if name == "training":
                self.training = True
                return True
            return super().__getattribute__(name)  # which raises again as it did

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; subclasses write it, and callers call the module."""
        raise NotImplementedError(f"[{type(self).__name__}] a module needs a forward method")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output."""
        if self._hooks is not None or recording_state.observer is not None:
            return call(self, args, kwargs)
        return self.forward(*args, **kwargs)

    # Registration

    def __setattr__(self, name: str, value: Any) -> None:
        attributes = self.__dict__
        if isinstance(value, Parameter | Module):
            _check_name(self, name)
            if name in self._buffer_names:
                attributes["_buffer_names"] = {n: p for n, p in self._buffer_names.items() if n != name}
        elif value is not None and name in attributes:
            if isinstance(attributes[name], Parameter | Module):
                _fail_assignment("Parameter" if isinstance(attributes[name], Parameter) else "Module", name, value)
            if name in self._buffer_names and not isinstance(value, Tensor):
                _fail_assignment("Tensor", name, value)
        super().__setattr__(name, value)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under a name; None reserves the name."""
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"[register_parameter] expected a Parameter or None for '{name}', got {type(param).__name__}"
            )
        _check_new(self, name, Parameter)
        setattr(self, name, param)

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Add a tensor that is part of the state and is not trained, such as a running mean.

        Parameters
        ----------
        name
            The attribute's name.
        tensor
            A Tensor, an ndarray, or None.
        persistent
            Whether `state_dict` has it.
        """
        _check_new(self, name, Tensor)
        value = tensor if tensor is None or type(tensor) is Tensor else Tensor(tensor)
        self.__dict__.pop(name, None)
        self.__dict__["_buffer_names"] = {**self._buffer_names, name: persistent}
        self.__dict__[name] = value

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a submodule under a name, also one that is no identifier; None reserves the name."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"[add_module] expected a Module or None for '{name}', got {type(module).__name__}")
        _check_new(self, name, Module)
        setattr(self, name, module)

    # Walks

    def named_modules(self, prefix: str = "", memo: set[int] | None = None) -> Iterator[tuple[str, Module]]:
        """Yield this module and all below, each once, with names such as ``encoder.0``; this module's is the prefix."""
        seen = set() if memo is None else memo
        if id(self) not in seen:
            seen.add(id(self))
            yield prefix, self
            for name, child in _attributes(self, Module):
                yield from child.named_modules(_join(prefix, name), seen)

    def modules(self) -> Iterator[Module]:
        """Yield this module and all below, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the modules that are attributes of this one, each once."""
        return _once(_attributes(self, Module))

    def children(self) -> Iterator[Module]:
        """Yield the modules that are attributes of this one, each once."""
        return (module for _, module in self.named_children())

    def named_parameters(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Parameter]]:
        """Yield the parameters of this module and, unless ``recurse`` is False, of all below, each once."""
        return _once(_members(self, prefix, recurse, _own_parameters))

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield the parameters of this module and, unless ``recurse`` is False, of all below, each once."""
        return (parameter for _, parameter in self.named_parameters("", recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
        """Yield the buffers of this module and, unless ``recurse`` is False, of all below, each once."""
        return _once(_members(self, prefix, recurse, _own_buffers))

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield the buffers of this module and, unless ``recurse`` is False, of all below, each once."""
        return (buffer for _, buffer in self.named_buffers("", recurse))

    # State

    def _state(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        yield from ((prefix + name, parameter) for name, parameter in _own_parameters(self))
        yield from ((prefix + name, buffer) for name, buffer in _own_buffers(self) if self._buffer_names[name])
        for name, child in _attributes(self, Module):
            yield from child._state(f"{prefix}{name}.")

    def state_dict(self, prefix: str = "") -> dict[str, Tensor]:
        """Return the parameters and persistent buffers by PyTorch's names, as tensors that share their memory.

        `numpy.asarray` gives an entry as an array; ``clone()`` one that later training does not change.
        """
        return {name: tensor.detach() for name, tensor in self._state(prefix)}

    def load_state_dict(self, state_dict: dict[str, Any], strict: bool = True) -> LoadResult:
        """Copy values into the parameters and persistent buffers: all of them or, after an error, none.

        Parameters
        ----------
        state_dict
            Tensors or arrays (PyTorch's too) by name, as `state_dict` returns.
        strict
            Whether missing and unexpected names are errors; otherwise they are only returned.

        Raises
        ------
        ValueError
            Listing every missing, unexpected, mis-shaped and wrongly typed entry.
        """
        return load_entries(type(self).__name__, dict(self._state()), state_dict, strict)

    # What is done to all modules

    def train(self: M, mode: bool = True) -> M:
        """Switch this module and all below to training mode, or with False to evaluation mode."""
        if not isinstance(mode, bool):
            raise TypeError(f"[train] expected a bool, got {type(mode).__name__}")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: M) -> M:
        """Switch this module and all below to evaluation mode."""
        return self.train(False)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients, or set those that exist to zeros."""
        for parameter in self.parameters():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                _native.fill(parameter.grad, 0.0)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Set ``requires_grad`` of all parameters: False freezes them."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Call a function with every module below and with this one, children first."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def to(self: M, dtype: DTypeLike) -> M:
        """Convert all parameters and all buffers of floats, in this object, to float32 or float64."""
        wanted = np.dtype(dtype)
        if wanted not in (np.float32, np.float64):
            raise TypeError(f"[to] expected float32 or float64, got {wanted}")
        for tensor in [*self.parameters(), *self.buffers()]:
            if tensor.dtype.kind == "f" and tensor.dtype != wanted:
                grad, tensor.grad = tensor.grad, None
                tensor.data = tensor.data.astype(wanted)
                tensor.grad = None if grad is None else grad.astype(wanted)
        return self

    def float(self: M) -> M:
        """Convert to float32, in this object."""
        return self.to(np.float32)

    def double(self: M) -> M:
        """Convert to float64, in this object."""
        return self.to(np.float64)

    def summary(self, input_shape: Any, dtype: DTypeLike | None = None) -> Summary:
        """Return the layers with their output shapes and numbers of parameters; ``print`` it for a table.

        A batch of zeros runs through the model in evaluation mode, without the tape; the model is then as it was.

        Parameters
        ----------
        input_shape
            The shape of one input, without the batch: ``(784,)``. A list of shapes for a model of several inputs.
        dtype
            Of the inputs, by default that of the first parameter.

        Returns
        -------
        Summary
            ``lines``, one for each layer, and the numbers ``parameters``, ``weights``, ``biases`` and ``trainable``.

        Examples
        --------
        >>> from nnative import nn
        >>> model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
        >>> print(model.summary((784,)))
        layer  kind    output    weights  biases
        -----  ------  --------  -------  ------
        0      Linear  (N, 128)  100,352     128
        1      ReLU    (N, 128)        0       0
        2      Linear  (N, 10)     1,280      10
        101,770 parameters: 101,632 weights, 138 biases; 101,770 trainable
        """
        from nnative.nn.summary import summarize

        return summarize(self, input_shape, dtype)

    def extra_repr(self) -> str:
        """Return what ``repr`` prints between the parentheses; subclasses write it."""
        return ""

    def __repr__(self) -> str:
        lines = [f"({name}): {_indent(repr(child))}" for name, child in _attributes(self, Module)]
        extra = self.extra_repr()
        if not lines:
            return f"{type(self).__name__}({extra})"
        return "\n  ".join([f"{type(self).__name__}(", *extra.splitlines(), *lines]) + "\n)"


def _attributes(module: Module, kind: type[Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in module.__dict__.items() if isinstance(value, kind)]


def _own_parameters(module: Module) -> list[tuple[str, Parameter]]:
    return _attributes(module, Parameter)


def _own_buffers(module: Module) -> list[tuple[str, Tensor]]:
    found = ((name, module.__dict__.get(name)) for name in module._buffer_names)
    return [(name, value) for name, value in found if isinstance(value, Tensor)]


def _members(module: Module, prefix: str, recurse: bool, own: Any) -> Iterator[tuple[str, Any]]:
    for path, owner in module.named_modules(prefix) if recurse else [(prefix, module)]:
        yield from ((_join(path, name), value) for name, value in own(owner))


def _once(pairs: Any) -> Iterator[tuple[str, Any]]:
    seen: set[int] = set()
    for name, value in pairs:
        if id(value) not in seen:
            seen.add(id(value))
            yield name, value


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _indent(text: str) -> str:
    return text.replace("\n", "\n  ")


def _check_name(module: Module, name: str) -> None:
    """Raise for a name that would hide a method, or that state_dict names cannot have."""
    if not name or "." in name:
        raise ValueError(f"[{type(module).__name__}] expected a name without dots that is not empty, got {name!r}")
    if getattr(type(module), name, None) is not None:
        raise ValueError(f"[{type(module).__name__}] '{name}' is an attribute of the class: choose another name")


def _check_new(module: Module, name: str, kind: type[Any]) -> None:
    if not isinstance(name, str):
        raise TypeError(f"[{type(module).__name__}] expected a name, got {type(name).__name__}")
    _check_name(module, name)
    before = module.__dict__.get(name)
    if before is not None and not isinstance(before, kind):
        raise ValueError(f"[{type(module).__name__}] '{name}' is already an attribute, a {type(before).__name__}")


def _fail_assignment(expected: str, name: str, value: Any) -> None:
    raise TypeError(f"[Module] expected a {expected} or None for the attribute '{name}', got {type(value).__name__}")
