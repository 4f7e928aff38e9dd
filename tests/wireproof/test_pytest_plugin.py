"""The plugin in projects of its own: what tests get, what failures say, and what is left."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import httpx  # noqa: F401 # what inner runs import, so that not each of them has to
import pytest
import starlette.applications
import starlette.responses  # noqa: F401
import uvicorn.lifespan.on
import uvicorn.loops.auto
import uvicorn.protocols.http.auto
import uvicorn.protocols.websockets.auto  # noqa: F401

import wireproof.testing.golden
import wireproof.testing.wire  # noqa: F401
from wireproof.testing.captures import StoredCapture

pytestmark = pytest.mark.packets

PATIENCE = 60.0
UNNEEDED = [f"-pno:{name}" for name in ("cacheprovider", "hypothesispytest", "cov")]
"""Plugins that only cost time: hypothesis takes seconds to say that nobody uses it."""
APP = """
import asyncio
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

def stream(collects):
    async def endpoint(request):
        async def tokens():
            for number in range(6):
                await asyncio.sleep(0.02)
                yield f"data: token {number}\\n\\n"
        async def collected():
            for token in [token async for token in tokens()]:
                yield token
        made = collected() if collects else tokens()
        return StreamingResponse(made, media_type="text/event-stream")
    return endpoint

async def broken(request):
    async def tokens():
        yield 1 / 0
    return StreamingResponse(tokens())

app = Starlette(routes=[
    Route("/chat", stream(False)),
    Route("/collected", stream(True)),
    Route("/broken", broken),
])
"""
IN_A_PROCESS = """
import httpx

def test_tokens_really_stream(wire):
    with wire.serve("myapp:app") as server:
        httpx.get(server.url + "/chat")
    exchange = wire.exchange("/chat")
    assert exchange.is_complete
    exchange.assert_streamed(min_events=5, max_events_per_segment=1)
    exchange.assert_time_to_first_event(below=5)
    exchange.assert_no_gap_longer_than(5.0)

def test_collected(wire):
    with wire.serve("myapp:app") as server:
        httpx.get(server.url + "/collected")
    wire.exchange("/collected").assert_streamed(min_events=5)

def test_broken(wire):
    with wire.serve("myapp:app") as server:
        httpx.get(server.url + "/broken")
"""
IN_A_THREAD = """
import httpx
from myapp import app

def test_chat(wire):
    with wire.serve(app) as server:
        httpx.get(server.url + "/chat")
    wire.exchange("/chat").assert_streamed(min_events=5)
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makepyfile(myapp=APP)
    return pytester


def run(project: pytest.Pytester, *options: str) -> pytest.RunResult:
    """Run in this process: a server is still one of its own, unless its app is an object."""
    return project.runpytest_inprocess(*UNNEEDED, *options)


def left(project: pytest.Pytester) -> set[str]:
    files = project.path.rglob("*")
    return {path.name for path in files if path.is_file() and path.suffix != ".pyc"}


def test_what_passes_and_what_failures_say(project: pytest.Pytester) -> None:
    project.makepyfile(test_chat=IN_A_PROCESS)
    result = run(project)
    result.assert_outcomes(passed=1, failed=2)
    text = result.stdout.str()
    kept = ".wireproof/test_chat.py/test_collected.pcapng"
    # packets, the capture, the user's own line and none of ours
    assert re.search(r"E .*WireFailure: GET /collected: 6 events came in a burst", text)
    assert re.search(r"E +8 +0\.\d{9} +127\.0\.0\.1 → 127\.0\.0\.1 +HTTP \d+ ▸ chunk 0", text)
    assert f"capture: {kept}" in text
    assert re.search(r"^test_chat\.py:\d+: WireFailure$", text, re.MULTILINE)
    # any failure tells what was on the wire, and what the server wrote
    assert re.search(r"- wire -+\nthere were:\n +GET /broken 200 chunked: 0 chunks, INCOMPL", text)
    assert "ZeroDivisionError: division by zero" in text.partition("server:")[2]
    capture = StoredCapture(project.path / kept, lambda _: "", lambda name, found, replace: None)
    assert len(capture.exchange("/collected").events) == 6
    assert left(project) == {
        "myapp.py",
        "test_chat.py",
        ".gitignore",
        "test_collected.pcapng",
        "test_broken.pcapng",
    }


def test_captures_are_kept_as_asked_and_forgotten_when_a_test_passes(
    project: pytest.Pytester,
) -> None:
    project.makepyfile(test_chat=IN_A_THREAD + "    assert 0")
    kept = project.path / ".wireproof" / "test_chat.py" / "test_chat.pcapng"
    run(project, "--wire-keep=none").assert_outcomes(failed=1)
    assert left(project) == {"myapp.py", "test_chat.py"}
    run(project).assert_outcomes(failed=1)
    assert kept.exists()
    project.makepyfile(test_chat=IN_A_THREAD)
    run(project).assert_outcomes(passed=1)
    assert not kept.exists()
    run(project, "--wire-keep=all").assert_outcomes(passed=1)
    assert kept.exists()


def test_transcripts(project: pytest.Pytester) -> None:
    project.makepyfile(test_chat=IN_A_THREAD + "    wire.assert_matches('chat')")
    stored = project.path / "__wire__" / "test_chat" / "chat.txt"
    first = run(project)
    first.assert_outcomes(failed=1)
    first.stdout.fnmatch_lines([f"*there is no transcript {stored}: pytest --wire-update*"])
    run(project, "--wire-update").assert_outcomes(passed=1)
    run(project).assert_outcomes(passed=1)
    project.makepyfile(myapp=APP.replace("data: token", "data: word"))
    changed = run(project)
    changed.assert_outcomes(failed=1)
    changed.stdout.fnmatch_lines(
        ["*the wire differs in content from*", "E*- data: token 0", "E*+ data: word 0"]
    )
    run(project, "--wire-update").assert_outcomes(passed=1)
    assert "data: word 0" in stored.read_text()


def test_a_stored_capture(project: pytest.Pytester) -> None:
    source = Path(__file__).parents[2] / "fixtures" / "sse" / "resume.pcapng"
    (project.path / "tests" / "fixtures").mkdir(parents=True)
    (project.path / "tests" / "fixtures" / "x.pcapng").write_bytes(source.read_bytes())
    (project.path / "tests" / "test_old.py").write_text(
        "import pytest\n"
        "def test_replay(wire):\n"
        "    capture = wire.replay('fixtures/x.pcapng')\n"
        "    exchange = capture.exchange('/sse')\n"
        "    assert exchange.request_header('last-event-id') == '5'\n"
        "    assert [event.id for event in exchange.events] == ['6', '7', '8', '9']\n"
        "    exchange.assert_clean_end()\n"
        "    assert wire.exchange('/sse') is exchange\n"
        "    wire.replay('tests/fixtures/x.pcapng')\n"
        "def test_none(wire):\n"
        "    with pytest.raises(FileNotFoundError, match='no capture y.pcapng: looked for'):\n"
        "        wire.replay('y.pcapng')\n"
    )
    run(project).assert_outcomes(passed=2)


def test_recording_what_somebody_else_serves(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_chat="""
        import socket, threading
        import httpx, uvicorn
        from myapp import app

        def test_capture(wire):
            listener = socket.create_server(("127.0.0.1", 0))
            port = listener.getsockname()[1]
            server = uvicorn.Server(uvicorn.Config(app))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            with wire.capture(port=port) as capture:
                thread.start()
                httpx.get(f"http://127.0.0.1:{port}/chat")
                capture.exchange("/chat").assert_streamed(min_events=6)
                server.should_exit = True
                thread.join()
            assert wire.exchange("/chat").is_complete
        """
    )
    run(project).assert_outcomes(passed=1)


def test_async_tests_are_not_blocked(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_chat="""
        import asyncio, httpx, pytest

        @pytest.mark.anyio
        @pytest.mark.parametrize("anyio_backend", ["asyncio"])
        async def test_chat(wire, anyio_backend):
            with wire.serve("myapp:app") as server:
                async with httpx.AsyncClient() as client:
                    answers = await asyncio.gather(
                        *(client.get(server.url + "/chat") for _ in range(3))
                    )
                    assert len(wire.exchanges("/chat")) == 3
            for number, _ in enumerate(answers):
                wire.exchange("/chat", nth=number).assert_streamed(min_events=6)
        """
    )
    run(project).assert_outcomes(passed=1)


def test_workers_do_not_get_in_each_others_way(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_chat="import pytest\n"
        + IN_A_THREAD.replace("def", "@pytest.mark.parametrize('n', range(4))\ndef")
        .replace("(wire)", "(wire, n)")
        .replace("min_events=5", "min_events=5 + 2 * (n == 3)")
    )
    result = project.runpytest_subprocess(*UNNEEDED, "-n", "2")
    result.assert_outcomes(passed=3, failed=1)
    kept = (project.path / ".wireproof").rglob("*.pcapng")
    assert [path.name for path in kept] == ["test_chat[3].pcapng"]


def test_a_backend_that_is_refused_is_one_line(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wireproof.testing.environments.can_capture", lambda: False)
    project.makepyfile(test_chat=IN_A_THREAD)
    result = run(project, "--wire-backend=packet-socket")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E*BackendUnavailable: --wire-backend packet-socket: this process*"]
    )


def test_help_and_fixtures_name_it(project: pytest.Pytester) -> None:
    text = run(project, "--help").stdout.str()
    assert "--wire-backend" in text
    assert "--wire-update" in text
    text = run(project, "--fixtures").stdout.str()
    assert "Serve an app, record its packets" in text


# --- what is left when it all breaks down ---


def relatives(mark: str) -> list[str]:
    """Every process that has this mark in its environment."""
    found = []
    for path in Path("/proc").iterdir():
        try:
            if path.name.isdecimal() and mark.encode() in (path / "environ").read_bytes():
                found.append((path / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # it has just ended
    return found


CRASH = """
import os, signal, time
import httpx

def test_crash(wire):
    with wire.serve("myapp:app") as server:
        httpx.get(server.url + "/chat")
        wire.exchange("/chat")
        print("running", flush=True)
        {end}
"""


@pytest.mark.parametrize(
    ("backend", "end", "number"),
    [
        ("packet-socket", "os.kill(os.getpid(), signal.SIGKILL)", None),
        ("namespace", "os.kill(os.getpid(), signal.SIGKILL)", None),
        ("relay", "os.kill(os.getpid(), signal.SIGKILL)", None),
        ("packet-socket", "time.sleep(60)", signal.SIGTERM),
    ],
    ids=["killed", "killed with its namespace", "killed with its relay", "terminated"],
)
def test_a_test_run_that_dies_leaves_nothing(
    backend: str, end: str, number: signal.Signals | None, project: pytest.Pytester
) -> None:
    project.makepyfile(test_crash=CRASH.format(end=end))
    temporary = project.path / "tmp"
    temporary.mkdir()
    mark = f"wireproof-test-{uuid.uuid4()}"
    command = [sys.executable, "-m", "pytest", "-s", *UNNEEDED]
    with subprocess.Popen(
        [*command, f"--wire-backend={backend}"],
        cwd=project.path,
        env={**os.environ, "MARK": mark, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        while b"running" not in (line := process.stdout.readline()):
            assert line, "the test did not come to run"
        if number is not None:
            assert len(relatives(mark)) >= 3  # pytest, the guard, the server
            process.send_signal(number)
        assert process.wait(PATIENCE) < 0
    deadline = time.monotonic() + PATIENCE
    while (left := relatives(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []
    assert list(temporary.iterdir()) == []
    assert not (project.path / ".wireproof").exists()
