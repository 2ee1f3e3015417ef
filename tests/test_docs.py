"""The pages of docs/ can be found, and the page of all parts is the one of this version."""

import importlib.util
import re
from pathlib import Path

import pytest

from nnative import nn

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(path.name for path in (ROOT / "docs").glob("*.md") if path.name != "index.md")


def list_parts():
    spec = importlib.util.spec_from_file_location("nnative_list_parts", ROOT / "scripts" / "list_parts.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_list_of_parts_is_of_this_version():
    expected = "\n".join(list_parts().page()) + "\n"
    assert (ROOT / "docs" / "parts.md").read_text(encoding="utf-8") == expected, "python scripts/list_parts.py"


def test_the_parts_that_are_marked_are_those_that_torch_does_not_have():
    torch = pytest.importorskip("torch")
    module, beyond = list_parts(), set()
    for prefix, _, names in module.sections().values():
        theirs = torch
        for name in prefix.removesuffix(".").split("."):
            theirs = getattr(theirs, name)
        beyond |= {name for name in names if not hasattr(theirs, name)}
    assert beyond == module.BEYOND_TORCH


def test_every_class_has_an_example_or_names_the_function_that_has():
    sections, missing = list_parts().sections(), []
    for kind in ("Layers", "Containers", "Activations", "Losses", "Optimizers", "Schedules"):
        _, namespace, names = sections[kind]
        for name in names:
            doc = getattr(namespace, name).__doc__
            functions = re.findall(r"`functional\.(\w+)`", doc)
            if ">>>" not in doc and not any(">>>" in getattr(nn.functional, f).__doc__ for f in functions):
                missing.append(name)
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_the_index_names_each_page(page):
    assert f"({page})" in (ROOT / "docs" / "index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/index.md", *(f"docs/{p}" for p in PAGES)])
def test_links_lead_somewhere(page):
    path = ROOT / page
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target
