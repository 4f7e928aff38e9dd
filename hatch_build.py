"""Build the wheel so that everything of ours lies under ``wireproof/``.

In a checkout ``parsers``, ``capture`` and ``server`` are packages of their own; installed so, they
would stand in the way of a project that has folders of these names, and it in theirs.
``pyproject.toml`` (``sources``) moves the files; here the imports follow them:
``from parsers.sse import X`` becomes ``from wireproof.parsers.sse import X``.

Strategy: imports are found in the syntax tree and replaced in the text by their position, so that
comments, strings and line numbers stay as they are. What cannot be moved without a change of
meaning ends the build, with its file and line. An editable install is left as it is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FACE = "wireproof"
MOVED = frozenset({"capture", "parsers", "server"})
"""Packages of the checkout that the wheel has under ``wireproof``."""
FROM = re.compile(rb"from\s+")


class Edit(NamedTuple):
    """A piece of a line to be replaced: the line from 0, and bytes of it, as ast counts."""

    line: int
    start: int
    end: int
    text: bytes


class MovedImports(BuildHookInterface[Any]):
    """Put files whose imports were moved into the wheel instead of those in the checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before the files are collected; ``version`` is ``standard`` or ``editable``."""
        if version != "standard":
            return
        self._folder = TemporaryDirectory(prefix="wireproof-wheel-")
        for number, file in enumerate(self.build_config.builder.recurse_selected_project_files()):
            if not file.relative_path.endswith(".py"):
                continue
            source = Path(file.path).read_bytes()
            moved = move_imports(source, file.relative_path)
            if moved != source:
                path = Path(self._folder.name, f"{number}.py")
                path.write_bytes(moved)
                build_data["force_include"][str(path)] = file.distribution_path

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called when the wheel is written."""
        if version == "standard":
            self._folder.cleanup()


def move_imports(source: bytes, name: str) -> bytes:
    """Return a module with its imports of moved packages put under ``wireproof``.

    Raises SyntaxError, with ``name`` and the line, for an import that must be written otherwise.
    """
    lines = source.splitlines(keepends=True)
    edits = [
        edit for node in ast.walk(ast.parse(source, name)) for edit in _edits(node, lines, name)
    ]
    for edit in sorted(edits, reverse=True):  # from the end, so that places before stay right
        line = lines[edit.line]
        lines[edit.line] = line[: edit.start] + edit.text + line[edit.end :]
    return b"".join(lines)


def _edits(node: ast.AST, lines: list[bytes], name: str) -> Iterator[Edit]:
    if isinstance(node, ast.ImportFrom):
        if not node.level and _is_moved(node.module):
            found = FROM.match(lines[node.lineno - 1], node.col_offset)
            assert found is not None  # the syntax tree says so
            start = found.end()
            yield Edit(node.lineno - 1, start, start, f"{FACE}.".encode())
    elif isinstance(node, ast.Import):
        for alias in node.names:
            if _is_moved(alias.name):
                yield _import(alias, name)


def _import(alias: ast.alias, name: str) -> Edit:
    """``import parsers`` binds a name, which stays; ``import parsers.sse`` would bind another."""
    if alias.asname is None and "." in alias.name:
        text = f"write 'from {alias.name} import ...': 'import {alias.name}' cannot be moved"
        raise SyntaxError(text, (name, alias.lineno, alias.col_offset + 1, None))
    end = alias.col_offset + len(alias.name)
    moved = f"{FACE}.{alias.name}" + (f" as {alias.name}" if alias.asname is None else "")
    return Edit(alias.lineno - 1, alias.col_offset, end, moved.encode())


def _is_moved(module: str | None) -> bool:
    return module is not None and module.partition(".")[0] in MOVED
