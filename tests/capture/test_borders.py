"""What may import what in ``capture``: Linux's calls stay in its wing, and arrows run one way."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import capture

FOLDER = Path(capture.__file__).parent
MODULES = sorted(FOLDER.rglob("*.py"))
LINUX_ONLY = {"fcntl", "resource", "pwd", "grp", "termios", "pty", "tty"}
LINUX_WAYS = {"namespace", "packet_socket", "relay", "tool_recorder", "scapy_recorder", "__main__"}
"""Backends that import Linux's wing when they are used there."""


def name(path: Path) -> str:
    """``backends.relay``; the package itself is ``capture``."""
    parts = path.relative_to(FOLDER).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__") or "capture"


def imports(path: Path, *, eager: bool) -> Iterator[str]:
    """Yield what a module imports, ours by the name above; ``eager``: as it is imported itself."""
    tree = ast.parse(path.read_text())
    for node in tree.body if eager else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from _from(path, node)


def _from(path: Path, node: ast.ImportFrom) -> Iterator[str]:
    if not node.level:
        yield node.module or ""
        return
    folder = path.parents[node.level - 1]
    target = folder.joinpath(*(node.module or "").split(".")) if node.module else folder
    if target.with_suffix(".py").exists():
        yield name(target.with_suffix(".py"))
        return
    for alias in node.names:
        module = target / f"{alias.name}.py"
        yield name(module if module.exists() else target / "__init__.py")


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_only_linux_s_wing_imports_what_only_linux_has(path: Path) -> None:
    if path.parent.name == "linux":
        return
    eager = set(imports(path, eager=True))
    assert not {one for one in eager if one.startswith("linux.")}
    every = set(imports(path, eager=False))
    assert not every & LINUX_ONLY
    if path.stem not in LINUX_WAYS and name(path) != "capture":  # whose names are read when wanted
        assert not {one for one in every if one.startswith("linux.")}


def test_no_circle() -> None:
    ours = {name(path) for path in MODULES}
    graph = {name(path): set(imports(path, eager=True)) & ours for path in MODULES}
    assert len(list(TopologicalSorter(graph).static_order())) == len(MODULES)


def test_names_of_linux_are_read_when_they_are_wanted() -> None:
    assert {name for name in capture.__all__ if name in capture.LATER} == set(capture.LATER)
    assert capture.Recorder.__module__ == "capture.linux.recorder"
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        capture.Nothing  # type: ignore[attr-defined]
