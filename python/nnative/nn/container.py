"""Modules that hold modules: Sequential, ModuleList."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from nnative.nn.module import Module, _attributes

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

    def forward(self, x: Any) -> Any:
        """Apply the modules in their order."""
        for layer in self._layers():
            x = layer(x)
        return x


class ModuleList(_Numbered):
    """A list whose modules are registered; what they are applied to, the owner's ``forward`` says.

    Examples
    --------
    >>> from nnative import nn
    >>> layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))
    >>> len(layers), len(list(layers.parameters()))
    (3, 6)
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(modules)
