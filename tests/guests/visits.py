"""What is done in a project: wireproof comes in, its suite is run, and nothing has changed."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from time import monotonic
from typing import Any, NamedTuple
from urllib.parse import urljoin
from urllib.request import HTTPCookieProcessor, build_opener

from combinations import BESIDE, ROOT, Guest
from environment import PATIENCE, Environment, Failed

PROJECT = Path(__file__).with_name("project")
CAPTURE = ROOT / "fixtures" / "sse" / "plain.pcapng"
SYNCHRONOUS, ASYNCHRONOUS, PLAIN = 7, 3, 2
"""Tests of the project, by module; the last do not use the fixture."""
EXTRAS = {
    "demo": [("serve",), ("demo",), ("capture", "sse", "-o", "x.pcapng")],
    "inspector": [("view", CAPTURE)],
    "parquet": [("export", CAPTURE, "-o", "x.parquet")],
    "plot": [("plot", CAPTURE, "-o", "x.png")],
    "select": [("decode", CAPTURE, "--select", "a")],
}
"""Commands that lack an extra in the base install."""
BASE: list[tuple[str | Path, ...]] = [
    ("--help",),
    ("decode", CAPTURE, "--format", "ndjson"),
    ("decode", CAPTURE, "--format", "table"),
    ("export", CAPTURE, "-o", "x.har"),
    ("export", CAPTURE, "-o", "x.csv"),
    ("report", CAPTURE, "-o", "x.html"),
    ("redact", CAPTURE, "-o", "x.pcapng"),
    ("annotate", CAPTURE, "-o", "y.pcapng"),
    ("doctor",),
]
"""Commands that it has."""


class Visit(NamedTuple):
    """How it went."""

    guest: str
    python: str
    versions: dict[str, str]
    """Of what the project has, after the visit."""
    added: dict[str, str]
    """What wireproof has brought."""
    added_size: int
    """Bytes."""
    passed: int
    problem: str
    """Empty if all is well."""
    seconds: float


def visit(guest: Guest, python: tuple[str, str], wheel: Path, folder: Path) -> Visit:
    """Visit a project with an interpreter: its version and where it is."""
    start = monotonic()
    version, executable = python
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    size, passed, problem = 0, 0, ""
    try:
        project = folder / "project"
        shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        environment = Environment(folder / "venv", executable)
        environment.install(*(f"{name}=={pin}" for name, pin in guest.pins.items()))
        before, size = environment.installed(), environment.size()
        environment.install(wheel)
        after, size = environment.installed(), environment.size() - size
        _check_pins(guest, before, after)
        environment.check()
        passed = _run_suites(environment, project, guest.options)
    except Failed as failure:
        problem = str(failure)
    versions = {name: after.get(name, "") for name in BESIDE}
    added = {name: text for name, text in after.items() if name not in before}
    return Visit(
        guest.name, version, versions, added, size, passed, problem, monotonic() - start
    )  # fmt: skip


def visit_nobody(python: tuple[str, str], wheel: Path, folder: Path) -> Visit:
    """Install the wheel alone: all that it promises is there, and the rest says what it lacks."""
    start = monotonic()
    after: dict[str, str] = {}
    size, done, problem = 0, 0, ""
    try:
        environment = Environment(folder / "venv", python[1])
        environment.install(wheel)
        after, size = environment.installed(), environment.size()
        environment.check()
        done = _run_commands(environment, folder)
    except Failed as failure:
        problem = str(failure)
    return Visit("nobody", python[0], {}, after, size, done, problem, monotonic() - start)


def _check_pins(guest: Guest, before: dict[str, str], after: dict[str, str]) -> None:
    """Fail if a version has changed or is none that was asked for."""
    changed = [
        f"{name} {found}, {after.get(name, 'gone')} after"
        for name, found in before.items()
        if after.get(name) != found
    ]
    if changed:
        raise Failed(f"wireproof has changed {', '.join(changed)}")
    for name, pin in guest.pins.items():
        if before[name] != pin:
            raise Failed(f"{name} is {before[name]}, not {pin}")


def _run_suites(environment: Environment, project: Path, options: tuple[str, ...]) -> int:
    """Run the project's suites, and return how many tests passed in the first."""

    def pytest(*arguments: str, code: int = 0) -> str:
        return environment.run("python", "-m", "pytest", *arguments, cwd=project, code=code)

    every = SYNCHRONOUS + ASYNCHRONOUS + PLAIN
    _expect(f"{every} passed", pytest("-n", "2", "--cov=app", *options))
    # Without pytest-asyncio, which warns of its own settings before a test runs.
    alone = ("-W", "error", "-p", "no:asyncio", "tests/test_streams.py")
    _expect(f"{SYNCHRONOUS} passed", pytest(*alone))
    if (project / ".wireproof").exists():
        raise Failed("captures of tests that passed were kept")
    _expect(f"{PLAIN} passed", pytest("-p", "no:wireproof", "tests/test_plain.py", *options))
    told = pytest("failing", *options, code=1)
    _expect("events came in a burst", told)
    _expect("- wire -", told)
    (kept,) = (project / ".wireproof").rglob("*.pcapng")
    records = environment.run("wireproof", "decode", kept, "--format", "ndjson", cwd=project)
    _expect('"record":"sse_event"', records)
    _view(environment, project)
    return every


def _view(environment: Environment, folder: Path) -> None:
    """Look at a capture with what the project has: the page, and the news of what is decoded."""
    command = [environment.bin / "wireproof", "view", CAPTURE, "--no-browser"]
    browser = build_opener(HTTPCookieProcessor())
    with Popen(command, cwd=folder, stdout=PIPE, stderr=DEVNULL, text=True) as viewing:
        assert viewing.stdout is not None  # it is a pipe
        try:
            address = (viewing.stdout.readline().split() or [""])[-1]
            if not address.startswith("http"):
                raise Failed("wireproof view has served nothing")
            for path in (address, urljoin(address, "/news")):
                with browser.open(path, timeout=PATIENCE) as answer:
                    _expect("<!doctype html>" if path is address else "plain.pcapng", _text(answer))
        finally:
            viewing.send_signal(signal.SIGINT)


def _text(answer: Any) -> str:
    found: str = answer.read().decode().lower()
    return found


def _run_commands(environment: Environment, folder: Path) -> int:
    for arguments in BASE:
        environment.run("wireproof", *arguments, cwd=folder)
    for extra, commands in EXTRAS.items():
        for arguments in commands:
            said = environment.run("wireproof", *arguments, cwd=folder, code=3)
            _expect(f"pip install 'wireproof[{extra}]'", said)
            if said.count("\n") != 1:
                raise Failed(f"more than a line: {said}")
    return len(BASE) + sum(map(len, EXTRAS.values()))


def _expect(wanted: str, text: str) -> None:
    if wanted not in text:
        raise Failed(f"{wanted!r} was expected in:\n{text}")
