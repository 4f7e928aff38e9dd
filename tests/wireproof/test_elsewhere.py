"""What works on Windows and on macOS: all that reads, and recording by scapy and by the relay.

Commands run in processes that have of Python what it has there (see support/elsewhere): whatever
only Linux has is missing, so an import that needs it fails. What cannot work says so in one line,
with exit code 3 and what works instead.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wireproof.commands import NAMES

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ELSEWHERE = ROOT / "tests" / "support" / "elsewhere"
FIXTURES = ROOT / "fixtures"
SYSTEMS = ("windows", "macos")
PATIENCE = 90

CHUNKED = str(FIXTURES / "chunked" / "plain.pcapng")
SSE = str(FIXTURES / "sse" / "plain.pcapng")
WEBSOCKET = str(FIXTURES / "websocket" / "plain.pcapng")


def environment(system: str) -> dict[str, str]:
    """Return the environment of a process that is on ``system``, without this machine's tools."""
    return {
        **os.environ,
        "WIREPROOF_SYSTEM": system,
        "PYTHONPATH": f"{ELSEWHERE}{os.pathsep}{ROOT}",
        "PATH": "",
        "COLUMNS": "100",
    }


class Commands:
    """A process that runs commands on a system that is not this one."""

    def __init__(self, process: subprocess.Popen[str], answers: int) -> None:
        self._process = process
        self._answers = os.fdopen(answers)

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        assert self._process.stdin is not None
        print(json.dumps(arguments), file=self._process.stdin, flush=True)
        code, output, errors = json.loads(self._answers.readline())
        assert "Traceback" not in errors, errors
        return code, output, errors

    def close(self) -> None:
        self._answers.close()


@contextmanager
def commands_on(system: str) -> Iterator[Commands]:
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, str(ELSEWHERE / "run_commands.py"), str(writing)],
        env=environment(system),
        stdin=subprocess.PIPE,
        pass_fds=(writing,),
        text=True,
    )
    os.close(writing)
    with process:
        commands = Commands(process, reading)
        yield commands
        commands.close()


@pytest.fixture(scope="module", params=SYSTEMS)
def elsewhere(request: pytest.FixtureRequest) -> Iterator[Commands]:
    with commands_on(request.param) as commands:
        yield commands


@pytest.fixture(scope="module")
def here() -> Iterator[Commands]:
    with commands_on("here") as commands:
        yield commands


# --- what reads ---


@pytest.mark.parametrize("command", [*NAMES, ""])
def test_every_command_tells_of_itself(elsewhere: Commands, command: str) -> None:
    code, output, errors = elsewhere(*command.split(), "--help")
    assert (code, errors) == (0, "")
    assert output.startswith("Usage: wireproof")


@pytest.mark.parametrize("form", ["table", "ndjson", "json", "csv"])
@pytest.mark.parametrize("file", [CHUNKED, SSE, WEBSOCKET])
def test_decodes_as_here(elsewhere: Commands, here: Commands, file: str, form: str) -> None:
    found = elsewhere("decode", file, "--format", form)
    assert found == here("decode", file, "--format", form)
    assert found[0] == 0
    assert len(found[1]) > 1_000


def views(here: Commands) -> list[str]:
    """Return the words that decode has for its views."""
    _, output, _ = here("decode", "--help")
    word = output.partition("--view")[2].partition("[")[2].partition("]")[0]
    return ["".join(one.split()) for one in word.split("|")]


def test_every_view_is_as_here(elsewhere: Commands, here: Commands) -> None:
    known = [one for one in views(here) if one]
    assert len(known) > 1
    for view in known:
        found = elsewhere("decode", SSE, "--view", view)
        assert found == here("decode", SSE, "--view", view), view
        assert found[0] == 0


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("har", ("export", SSE, "--format", "har")),
        ("csv", ("export", SSE, "--format", "csv")),
        ("parquet", ("export", SSE, "--format", "parquet")),
        ("pcapng", ("redact", SSE)),
        ("pcapng", ("annotate", SSE)),
        ("html", ("report", SSE)),
        ("svg", ("plot", SSE)),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else value,
)
def test_writes_files_as_here(
    elsewhere: Commands, here: Commands, name: str, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    theirs, ours = tmp_path / f"theirs.{name}", tmp_path / f"ours.{name}"
    code, _, errors = elsewhere(*arguments, "-o", str(theirs))
    assert code == 0, errors
    assert here(*arguments, "-o", str(ours))[0] == 0
    assert abs(theirs.stat().st_size - ours.stat().st_size) < 100  # some name their own output
    assert theirs.stat().st_size > 1_000


# --- what cannot work ---


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("compare", SSE), "tshark"),
        (("capture", "--port", "1", "-o", "x", "--backend", "packet-socket"), "scapy"),
        (("capture", "--port", "1", "-o", "x", "--backend", "namespace", "--", "true"), "scapy"),
        (("capture", "--port", "1", "-o", "x", "--backend", "tcpdump"), "scapy"),
        (("watch", "--port", "1", "--backend", "dumpcap"), "scapy"),
        (("demo", "--backend", "namespace"), "only Linux has network namespaces"),
    ],
    ids=lambda value: "-".join(value[:1]) if isinstance(value, tuple) else value,
)
def test_what_cannot_work_says_what_does(
    elsewhere: Commands, arguments: tuple[str, ...], said: str
) -> None:
    code, output, errors = elsewhere(*arguments)
    assert (code, output) == (3, ""), errors
    assert errors.count("\n") == 1
    assert errors.startswith("wireproof: ")
    assert said in errors


def test_the_doctor_tells_what_works(elsewhere: Commands) -> None:
    code, output, errors = elsewhere("doctor")
    assert (code, errors) == (0, "")
    found = output + errors
    assert found.index("scapy") < found.index("packet-socket")
    assert "only Linux has packet sockets; here, use scapy or relay" in " ".join(found.split())


# --- recording through the relay ---


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_relay_records(system: str, tmp_path: Path) -> None:
    path = tmp_path / "relay.pcapng"
    winsock = ["winsock"] if system == "windows" else []
    done = subprocess.run(
        [sys.executable, str(ELSEWHERE / "relay_exchange.py"), str(path), *winsock],
        env=environment(system),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"opened": 3, "records": 3, "ended": ["fin", "fin", "reset"]}


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("transport", ["chunked", "sse", "websocket"])
def test_the_demo_is_recorded_through_the_relay(
    system: str, transport: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wireproof", "demo", transport, "--backend", "relay"],
        env=environment(system),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "What arrived" in done.stdout
    assert "Traceback" not in done.stderr


# --- the pytest plugin ---

REPLAY = """
def test_what_was_recorded(wire):
    exchange = wire.replay({path!r}).exchange()
    exchange.assert_streamed(min_events=3)
"""


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_plugin_replays(system: str, tmp_path: Path) -> None:
    shutil.copy(SSE, tmp_path / "sse.pcapng")
    (tmp_path / "test_it.py").write_text(REPLAY.format(path=str(tmp_path / "sse.pcapng")))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        env=environment(system),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
