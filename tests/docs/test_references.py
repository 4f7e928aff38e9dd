"""What docstrings and pages refer to is there: modules, names, files."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec, resolve_name
from pathlib import Path
from types import ModuleType

import pytest
from support.corpus import ROOT

import capture
import parsers
import server
import wireproof

ROLE = re.compile(r":(?:mod|class|func|meth|attr|data|exc):`~?([\w.]+)`")
PYTHON_FILE = re.compile(r"`([\w/]+/\w+\.py)`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def modules() -> list[str]:
    packages = (parsers, capture, server, wireproof)
    found = [
        info.name
        for package in packages
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]
    return sorted([package.__name__ for package in packages] + found)


@cache
def source(name: str) -> str:
    spec = find_spec(name)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).read_text()


def is_there(module: ModuleType, reference: str) -> bool:
    """Whether a reference from a module's docstrings leads to something."""
    if reference.startswith("."):
        package = module.__name__ if hasattr(module, "__path__") else module.__package__
        reference = resolve_name(reference, package)
    if "." not in reference:
        return any(reference in names for names in names_in(module)) or is_set(module, reference)
    return has(reference) or has(f"{module.__name__}.{reference}")


def names_in(module: ModuleType) -> Iterator[dict[str, object]]:
    """Yield what a module's docstrings can mean by a bare name: its own, and its classes'."""
    yield vars(module)
    for value in vars(module).values():
        if isinstance(value, type):
            yield {name: getattr(value, name, None) for name in dir(value)}


def has(dotted: str) -> bool:
    """Whether a dotted name is a module, or an attribute of one, or of its classes."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        module = found
        for part in parts[length:]:
            if found is not module and is_set(module, part):
                return True
            found = getattr(found, part, None)
            if found is None:
                return False
        return True
    return False


def is_set(module: object, name: str) -> bool:
    """Whether instances of a module's classes have an attribute of this name."""
    return re.search(rf"\bself\.{name}\b", source(getattr(module, "__name__", ""))) is not None


@pytest.mark.parametrize("name", [name for name in modules() if ROLE.search(source(name))])
def test_docstrings_refer_to_what_is_there(name: str) -> None:
    module = importlib.import_module(name)
    missing = [found for found in ROLE.findall(source(name)) if not is_there(module, found)]
    assert missing == []


def test_a_reference_that_leads_nowhere_is_found() -> None:
    module = importlib.import_module("parsers.sse.stream")
    assert is_there(module, "parsers.sse.block")
    assert is_there(module, "..sse.block")
    assert is_there(module, "EventStreamDecoder.receive_data")
    assert is_there(module, "receive_data")
    for nowhere in ("parsers.sse.gone", "..sse.gone", "EventStreamDecoder.gone", "gone"):
        assert not is_there(module, nowhere), nowhere


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_link_to_files_that_are_there(page: Path) -> None:
    assert [
        link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()
    ] == []


def test_the_readme_links_to_every_page() -> None:
    links = set(LINK.findall((ROOT / "README.md").read_text()))
    pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}
    assert pages - links == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_modules_that_are_there(page: Path) -> None:
    """``parsers/sse/stream.py``; a name without a folder may be the user's own."""
    named = set(PYTHON_FILE.findall(page.read_text())) - EXAMPLES
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


EXAMPLES = {
    "tests/X/test_Y.py",
    "X/Y.py",
    "wireproof/views/NAME.py",
    "capture/backends/NAME.py",
    "wireproof/dialects/NAME.py",
}
