"""The borders between packages: what may import what, no circles, and one face for ``parsers``.

Imports are read from the syntax trees; those for type checkers alone count like all others.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest
from support.corpus import ROOT

import parsers

FACE = "(face)"
ORDER = {
    "parsers": (
        *(
            "expressions",
            "limits",
            "memory",
            "provenance",
            "faults",
            "diagnostics",
            "streams",
            "kinds",
            "records",
            "wants",
            "kept",
        ),
        *(
            "codings",
            "content",
            "files",
            "net",
            "http1",
            "sse",
            "websocket",
            "json_lines",
            "multipart",
            "aws_event_stream",
        ),
        *("grpc_web", "http2", "proxy_protocol", "socks", "tls", "quic", "http3", "decode", FACE),
    ),
    "capture": (
        *(
            "errors",
            "frames",
            "polling",
            "socket_table",
            "ports",
            "filters",
            "key_log",
            "pcapng_writer",
            "secrets_first",
            "drain",
        ),
        *(
            "processes",
            "connections",
            "clients",
            "output",
            "recording",
            "relay",
            "linux",
            "backends",
            FACE,
        ),
        "__main__",
    ),
    "wireproof": (
        *(
            FACE,
            "text",
            "extras",
            "collector",
            "opening",
            "output",
            "spool",
            "columns",
            "arrow",
            "rights",
            "ending",
            "certificates",
            "pings",
            "shelf",
            "open_exchanges",
            "heads",
            "exchange",
            "exchanges",
            "dialects",
            "bytes",
            "analysis",
            "metrics",
            "views",
            "tasks",
            "redact",
        ),
        *(
            "live",
            "plot",
            "export",
            "tables",
            "collect",
            "query",
            "diff",
            "notebook",
            "wireshark",
            "web",
            "testing",
            "commands",
            "cli",
        ),
        *("pytest_plugin", "__main__"),
    ),
}
"""The wings of each package: each may import those before it, and itself."""


def arrows(package: str) -> dict[str, set[str]]:
    """Which of a package's modules each of them imports."""
    files = {module_name(path): path for path in (ROOT / package).rglob("*.py")}
    return {name: imported(name, path, files.keys()) for name, path in files.items()}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(name: str, path: Path, modules: set[str]) -> set[str]:
    package = name.split(".") if path.stem == "__init__" else name.split(".")[:-1]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                submodule = f"{source}.{alias.name}"
                found.add(submodule if submodule in modules else source)
    return (found & modules) - {name}


def wing(module: str) -> str:
    return module.split(".")[1] if "." in module else FACE


@pytest.mark.parametrize("package", ORDER)
def test_modules_import_no_circle(package: str) -> None:
    try:
        TopologicalSorter(arrows(package)).prepare()
    except CycleError as error:
        pytest.fail(f"circle: {' <- '.join(error.args[1])}")


@pytest.mark.parametrize("package", ORDER)
def test_no_arrow_runs_back_up(package: str) -> None:
    """A new wing is put where it belongs in ``ORDER``."""
    order = ORDER[package]
    found = arrows(package)
    assert {wing(module) for module in found} <= set(order)
    up = [
        f"{module} imports {other}"
        for module, others in found.items()
        for other in others
        if order.index(wing(other)) > order.index(wing(module))
    ]
    assert not up


def test_a_circle_and_an_arrow_up_would_be_seen() -> None:
    with pytest.raises(CycleError):
        TopologicalSorter({"a": {"b"}, "b": {"c"}, "c": {"a"}}).prepare()
    path = ROOT / "parsers" / "decode" / "writer.py"
    found = imported("parsers.decode.writer", path, {"parsers.records", "parsers.decode.transport"})
    assert found == {"parsers.records"}
    assert wing("parsers.decode.writer") == "decode"


def face_for_type_checkers() -> dict[str, str]:
    """The names that the face imports where only a type checker looks, and their modules."""
    found: dict[str, str] = {}
    for node in ast.walk(ast.parse(Path(parsers.__file__).read_text())):
        if isinstance(node, ast.ImportFrom) and node.level and node.module != "decode":
            found |= {alias.asname or "": node.module or "" for alias in node.names}
    return found


def test_the_face_is_the_same_for_type_checkers() -> None:
    typed = face_for_type_checkers() | {"decode_stream": "decode.capture"}
    assert typed == parsers._HOMES
    for name, module in typed.items():
        home = import_module(f"parsers.{module}")
        assert getattr(parsers, name) is getattr(home, parsers._RENAMED.get(name, name))
    assert set(typed) <= set(dir(parsers))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = parsers.nothing  # type: ignore[attr-defined]


def test_the_face_loads_nothing_before_it_is_asked() -> None:
    program = "import sys, parsers; print(*(one for one in sys.modules if 'parsers.' in one))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout.split()) == (0, []), ran.stderr


@pytest.mark.parametrize("folder", ["capture", "wireproof", "fixtures", "benchmarks"])
def test_what_is_after_the_face_is_not_imported(folder: str) -> None:
    """ruff says so too, while one writes; here the rule holds whatever it is told to ignore."""
    folders = {f"parsers.{path.parent.name}" for path in (ROOT / "parsers").glob("*/__init__.py")}
    bans = tomllib.loads((ROOT / folder / "ruff.toml").read_text())["lint"]["flake8-tidy-imports"]
    assert folders <= set(bans["banned-api"])
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert ".".join(name.split(".")[:2]) not in folders, f"{path}: {name}"
