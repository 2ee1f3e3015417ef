"""Parameters computed from others at every use; `parametrizations` says how."""

from __future__ import annotations

from typing import Any

from nnative.grad_mode import no_grad
from nnative.nn.module import Module
from nnative.nn.parameter import Parameter
from nnative.tensor import Tensor

__all__ = ["is_parametrized", "remove_parametrizations"]


class Parametrizations(Module):
    """The modules that compute a module's parameters, by the parameters' names."""


class _Parametrized(Module):
    """Base of the classes of modules with computed parameters: they read, and are not assigned."""

    parametrizations: Parametrizations

    def __setattr__(self, name: str, value: Any) -> None:
        if is_parametrized(self, name):
            raise AttributeError(
                f"[{type(self).__name__}] '{name}' is computed: change its originals in parametrizations.{name}, or "
                "remove_parametrizations first"
            )
        super().__setattr__(name, value)


def parametrize(module: Module, name: str, parametrization: Module) -> None:
    """Let calls of a parametrization take the place of a parameter of a module, whose class becomes one of its own."""
    if not isinstance(module, _Parametrized):
        cls = type(module)
        module.parametrizations = Parametrizations()
        made = type(f"Parametrized{cls.__name__}", (_Parametrized, cls), {"__module__": cls.__module__})
        object.__setattr__(module, "__class__", made)
    del module.__dict__[name]
    setattr(module.parametrizations, name, parametrization)  # type: ignore[attr-defined]
    setattr(type(module), name, property(lambda self: getattr(self.parametrizations, name)()))


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Return whether a module has computed parameters, or one of this name."""
    if not isinstance(module, _Parametrized):
        return False
    return tensor_name is None or tensor_name in dict(module.parametrizations.named_children())


def remove_parametrizations(module: Module, tensor_name: str) -> Module:
    """Turn a computed parameter into a plain one of the value that it has; returns the module.

    Raises
    ------
    ValueError
        For a module or a name without parametrization.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"[remove_parametrizations] {type(module).__name__} has no parametrization of '{tensor_name}'")
    with no_grad():
        value: Tensor = getattr(module, tensor_name)
    parametrizations: Any = module.parametrizations  # type: ignore[attr-defined]
    delattr(parametrizations, tensor_name)
    delattr(type(module), tensor_name)
    if not list(parametrizations.children()):
        del module.__dict__["parametrizations"]
        object.__setattr__(module, "__class__", type(module).__bases__[1])
    setattr(module, tensor_name, Parameter(value.data))
    return module
