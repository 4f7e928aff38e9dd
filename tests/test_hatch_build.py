"""Imports that follow their packages under ``wireproof/``, and everything else as it was."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


move_imports = _load().move_imports


@pytest.mark.parametrize(
    ("source", "moved"),
    [
        ("from parsers.sse import X", "from wireproof.parsers.sse import X"),
        ("from parsers import sse", "from wireproof.parsers import sse"),
        (
            "from  capture import (\n    A,\n    B,\n)",
            "from  wireproof.capture import (\n    A,\n    B,\n)",
        ),
        ("import server", "import wireproof.server as server"),
        ("import server as demo", "import wireproof.server as demo"),
        ("import parsers.sse as s, os", "import wireproof.parsers.sse as s, os"),
        (
            "import os, server, capture",
            "import os, wireproof.server as server, wireproof.capture as capture",
        ),
        (
            "def f():\n    from server import serve\n",
            "def f():\n    from wireproof.server import serve\n",
        ),
        ("é = 1; from server import serve", "é = 1; from wireproof.server import serve"),
        (
            "if x: import capture; import server",
            "if x: import wireproof.capture as capture; import wireproof.server as server",
        ),
    ],
)
def test_an_import_is_moved(source: str, moved: str) -> None:
    assert move_imports(source.encode(), "x.py").decode() == moved


@pytest.mark.parametrize(
    "source",
    [
        "from .parsers import x",
        "from . import server",
        "from serverless import x",
        "import parsers_of_others",
        "import wireproof.server",
        "text = 'from parsers import x'  # import server",
        "server = capture = None",
        "",
    ],
)
def test_anything_else_stays(source: str) -> None:
    assert move_imports(source.encode(), "x.py").decode() == source


def test_what_cannot_be_moved_ends_the_build() -> None:
    with pytest.raises(SyntaxError, match="write 'from parsers.sse import ...'") as failure:
        move_imports(b"import os\nimport parsers.sse\n", "wireproof/x.py")
    assert (failure.value.filename, failure.value.lineno) == ("wireproof/x.py", 2)


def test_lines_keep_their_numbers_and_their_ends() -> None:
    source = b"# one\r\nfrom parsers import x\r\n\r\nfrom server import y\n"
    moved = move_imports(source, "x.py")
    assert (
        moved == b"# one\r\nfrom wireproof.parsers import x\r\n\r\nfrom wireproof.server import y\n"
    )


def test_every_module_of_ours_can_be_moved() -> None:
    for package in ("wireproof", "parsers", "capture", "server"):
        for path in (ROOT / package).rglob("*.py"):
            move_imports(path.read_bytes(), str(path))
