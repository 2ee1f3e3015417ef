"""Print docs/parts.md: every layer, activation, loss, initialiser, optimizer and schedule with its first line.

After a class or function has come or gone: ``python scripts/list_parts.py > docs/parts.md``.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from nnative import nn, optim
from nnative.nn import utils
from nnative.optim import lr_scheduler, swa_utils

# What PyTorch does not have under this name; tests hold the list against torch.
BEYOND_TORCH = {
    "DenseBlock", "GaussianDropout", "GaussianNoise", "Maxout", "Residual", "Sign", "Step",
    "lecun_normal_", "lecun_uniform_",
    "FTRL", "Lion", "Perceptron", "SutskeverMomentum",
    "doctor", "elastic_net_penalty", "fold_batchnorm", "gradcheck", "l1_penalty", "l2_penalty", "max_norm_",
    "mc_dropout", "recalibrate_batchnorm",
}  # fmt: skip

HEAD = """# What there is

Each has PyTorch's name, arguments, defaults and `state_dict`; ✦ marks what PyTorch does not have, under this name at
least. The docstrings say more: `help(nnative.nn.GELU)`. `python scripts/list_parts.py` prints this page."""


def _kind(name: str) -> str:
    """Return the section that a public class of `nn` belongs to."""
    module = getattr(nn, name).__module__.rpartition(".")[2]
    if name.endswith("Loss"):
        return "Losses"
    if module in ("container", "connection", "module", "parameter"):
        return "Containers"
    return "Activations" if module in ("activation", "rectifier") and name != "Identity" else "Layers"


def sections() -> dict[str, tuple[str, Any, list[str]]]:
    """Return for each section the prefix, the namespace and the names."""
    classes = [name for name in nn.__all__ if inspect.isclass(getattr(nn, name))]
    found = {
        kind: ("nn.", nn, [name for name in classes if _kind(name) == kind])
        for kind in ("Layers", "Containers", "Activations", "Losses")
    }
    others = [
        ("Initialisers", "nn.init.", nn.init),
        ("Optimizers", "optim.", optim),
        ("Schedules", "optim.lr_scheduler.", lr_scheduler),
        ("Averages of weights", "optim.swa_utils.", swa_utils),
        ("Whole models", "nn.utils.", utils),
    ]
    for kind, prefix, namespace in others:
        names = [name for name in namespace.__all__ if not inspect.ismodule(getattr(namespace, name))]
        found[kind] = prefix, namespace, names
    return found


def _summary(part: Callable[..., Any]) -> str:
    """Return the first line of a docstring as Markdown within a table."""
    line = (part.__doc__ or "").strip().splitlines()[0].removesuffix(".")
    line = re.sub(r"; see `functional\.\w+`$", "", line)
    line = re.sub(r":math:`([^`]*)`", r"$\1$", line).replace("``", "`")
    return line.replace("|", r"\|")


def page() -> Iterator[str]:
    """Give the lines of the page."""
    yield HEAD
    for title, (prefix, namespace, names) in sections().items():
        yield f"\n## {title}: `{prefix[:-1]}`\n\n| | |\n|---|---|"
        for name in sorted(names, key=str.lower):
            mark = " ✦" if name in BEYOND_TORCH else ""
            yield f"| `{name}`{mark} | {_summary(getattr(namespace, name))} |"
    yield "\n## Functions: `nn.functional`\n"
    yield textwrap.fill(", ".join(f"`{name}`" for name in nn.functional.__all__) + ".", 120)


if __name__ == "__main__":
    print("\n".join(page()))
