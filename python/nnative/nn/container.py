"""Modules that hold modules or parameters: Sequential, ModuleList, ModuleDict, ParameterList."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, TypeVar

from nnative.nn.module import Module, _attributes
from nnative.nn.parameter import Parameter
from nnative.tensor import Tensor

C = TypeVar("C", bound="_Numbered")


class _Numbered(Module):
    """Modules under names in their order; a slice is the same kind of container."""

    def __len__(self) -> int:
        return len(self._layers())

    def __iter__(self) -> Iterator[Module]:
        return iter(self._layers())

    def __getitem__(self: C, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)._of(_attributes(self, Module)[index])
        return self.__dict__[self._name(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name(index), module)

    def __delitem__(self, index: int | slice) -> None:
        names = list(self._names())
        for name in names[index] if isinstance(index, slice) else [self._name(index)]:
            delattr(self, name)
        self._renumber()

    def append(self: C, module: Module) -> C:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self: C, modules: Iterable[Module]) -> C:
        """Add modules at the end."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> None:
        """Add a module before the one of this index."""
        layers = self._layers()
        layers.insert(index, module)
        self._replace(layers)

    @classmethod
    def _of(cls: type[C], pairs: list[tuple[str, Module]]) -> C:
        result = cls()
        result._replace([module for _, module in pairs])
        return result

    def _layers(self) -> list[Module]:
        return [value for value in self.__dict__.values() if isinstance(value, Module)]

    def _names(self) -> list[str]:
        return [name for name, _ in _attributes(self, Module)]

    def _name(self, index: int) -> str:
        names = self._names()
        if not -len(names) <= index < len(names):
            raise IndexError(f"[{type(self).__name__}] expected an index of {len(names)} modules, got {index}")
        return names[index]

    def _renumber(self) -> None:
        if all(name.isdigit() for name in self._names()):
            self._replace(self._layers())

    def _replace(self, layers: list[Module]) -> None:
        for name in self._names():
            delattr(self, name)
        self.extend(layers)


class Sequential(_Numbered):
    """Modules that are applied one after the other.

    Examples
    --------
    >>> from nnative import nn
    >>> nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
      (2): Linear(in_features=3, out_features=1, bias=True)
    )
    """

    def __init__(self, *modules: Module | dict[str, Module]) -> None:
        super().__init__()
        named: Any = modules[0] if len(modules) == 1 else None
        if not isinstance(named, dict):
            named = {str(i): module for i, module in enumerate(modules)}
        for name, module in named.items():
            self.add_module(name, module)

    def forward(self, input: Any) -> Any:
        """Apply the modules in their order."""
        for layer in self._layers():
            input = layer(input)
        return input


class ModuleList(_Numbered):
    """A list whose modules are registered; what they are applied to, the owner's ``forward`` says.

    Examples
    --------
    >>> from nnative import nn
    >>> layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))
    >>> len(layers), len(list(layers.parameters()))
    (3, 6)
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())


class ModuleDict(Module):
    """A dict whose modules are registered; what they are applied to, the owner's ``forward`` says.

    Keys are names without dots that are no attributes of the class.

    Examples
    --------
    >>> from nnative import nn
    >>> heads = nn.ModuleDict({"digit": nn.Linear(8, 10), "parity": nn.Linear(8, 2)})
    >>> list(heads), heads["parity"]
    (['digit', 'parity'], Linear(in_features=8, out_features=2, bias=True))
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def _modules(self) -> dict[str, Module]:
        return dict(_attributes(self, Module))

    def __len__(self) -> int:
        return len(self._modules())

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules())

    def __contains__(self, key: object) -> bool:
        return key in self._modules()

    def __getitem__(self, key: str) -> Module:
        return self._modules()[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        self.pop(key)

    def clear(self) -> None:
        """Remove all modules."""
        for key in self._modules():
            delattr(self, key)

    def pop(self, key: str) -> Module:
        """Remove a module and return it; KeyError if there is none."""
        module = self[key]
        delattr(self, key)
        return module

    def keys(self) -> KeysView[str]:
        """Return the keys in their order."""
        return self._modules().keys()

    def values(self) -> ValuesView[Module]:
        """Return the modules in their order."""
        return self._modules().values()

    def items(self) -> ItemsView[str, Module]:
        """Return pairs of key and module in their order."""
        return self._modules().items()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add modules from a mapping or from pairs, over those of the same keys."""
        pairs = modules.items() if isinstance(modules, Mapping | ModuleDict) else modules
        for key, module in pairs:
            self[key] = module


class ParameterList(Module):
    """A list whose parameters are registered; tensors become parameters.

    Examples
    --------
    >>> import nnative
    >>> from nnative import nn
    >>> weights = nn.ParameterList([nnative.ones(2, 3), nnative.zeros(3)])
    >>> weights
    ParameterList(
      (0): Parameter of float32 and shape (2, 3)
      (1): Parameter of float32 and shape (3,)
    )
    >>> [name for name, _ in weights.named_parameters()]
    ['0', '1']
    """

    def __init__(self, values: Iterable[Tensor] | None = None) -> None:
        super().__init__()
        if values is not None:
            self.extend(values)

    def _values(self) -> list[Parameter]:
        return [value for _, value in _attributes(self, Parameter)]

    def __len__(self) -> int:
        return len(self._values())

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._values())

    def __getitem__(self, index: int | slice) -> Any:
        return ParameterList(self._values()[index]) if isinstance(index, slice) else self._values()[index]

    def __setitem__(self, index: int, value: Tensor) -> None:
        setattr(self, str(range(len(self))[index]), _parameter(value))

    def __iadd__(self, values: Iterable[Tensor]) -> ParameterList:
        return self.extend(values)

    def append(self, value: Tensor) -> ParameterList:
        """Add a parameter at the end."""
        setattr(self, str(len(self)), _parameter(value))
        return self

    def extend(self, values: Iterable[Tensor]) -> ParameterList:
        """Add parameters at the end."""
        if isinstance(values, Tensor):
            raise TypeError("[ParameterList] expected several tensors, got one Tensor")
        for value in list(values):
            self.append(value)
        return self

    def extra_repr(self) -> str:
        """Return a line for each parameter."""
        lines = [f"  ({i}): Parameter of {p.dtype} and shape {p.shape}" for i, p in enumerate(self)]
        return "\n".join(["", *lines, ""]) if lines else ""


def _parameter(value: Any) -> Parameter:
    if not isinstance(value, Tensor):
        raise TypeError(f"[ParameterList] expected a Tensor, got {type(value).__name__}")
    return value if isinstance(value, Parameter) else Parameter(value)
