"""The example of a workflow does what it says: each step's commands are run as GitHub runs them."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from support.corpus import ROOT

WORKFLOWS = ROOT / "docs" / "examples"
STEP = re.compile(
    r"^      - name: (?P<name>.+)\n(?:        (?!run:).*\n)*"
    r"        run: (?P<first>.*)\n(?P<more>(?:          .*\n)*)",
    re.MULTILINE,
)
APP = """\
import asyncio

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


@app.get("/chat")
async def chat() -> StreamingResponse:
    async def events():
        for word in "it really does stream word by word".split():
            await asyncio.sleep(0.03)
            yield f"data: {word}\\n\\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@app.get("/held")
async def held() -> StreamingResponse:
    async def events():
        await asyncio.sleep(0.3)
        for word in "all of it at once".split():
            yield f"data: {word}\\n\\n"

    return StreamingResponse(events(), media_type="text/event-stream")
"""
TEST = """\
import httpx


def test_it_streams(wire):
    with wire.serve("myapp:app") as server:
        httpx.get(server.url + "/chat")
    wire.exchange("/chat").assert_verdict(streaming="streamed", ending="whole")


def test_this_is_found_wrong(wire):
    with wire.serve("myapp:app") as server:
        httpx.get(server.url + "/held")
    wire.exchange("/held").assert_verdict(streaming="streamed")
"""


def steps(workflow: str = "streaming") -> dict[str, str]:
    """Return the commands of each step that has a name."""
    found = {}
    for step in STEP.finditer((WORKFLOWS / f"{workflow}.yml").read_text()):
        lines = [line[10:] for line in step["more"].splitlines()]
        first = step["first"].strip()
        joined = " ".join(lines) if first == ">-" else "\n".join(lines)
        found[step["name"]] = joined if first in (">-", "|") else first
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Runner:
    """Runs steps in a folder, as ``shell: bash`` does by default."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()

    def __call__(self, name: str, workflow: str = "streaming") -> subprocess.CompletedProcess[str]:
        script = steps(workflow)[name].replace("8000", str(self.port))
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=self.folder,
            env=os.environ
            | {"PATH": path, "PYTHONPATH": str(ROOT)}
            | {"GITHUB_STEP_SUMMARY": str(self.folder / "summary.md")},
            capture_output=True,
            text=True,
            timeout=100,
        )


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    (tmp_path / "myapp.py").write_text(APP)
    (tmp_path / "test_myapp.py").write_text(TEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return Runner(tmp_path)


def test_the_steps_are_all_found() -> None:
    assert list(steps()) == ["Install", "Test", "Annotate", "Record", "Judge"]
    assert "requirements.txt" in steps()["Install"]


@pytest.mark.slow
@pytest.mark.packets
def test_failing_tests_are_annotated(runner: Runner) -> None:
    ran = runner("Test")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "1 failed, 1 passed" in ran.stdout
    assert ElementTree.parse(runner.folder / "pytest.xml").getroot() is not None
    ran = runner("Annotate")
    assert ran.returncode == 123, ran.stdout + ran.stderr  # xargs: a command answered 1 to 125
    (line,) = (one for one in ran.stdout.splitlines() if one.startswith("::error "))
    assert "title=GET /held (exchange" in line
    assert "streaming: held" in line


@pytest.mark.slow
@pytest.mark.packets
def test_what_is_recorded_is_judged(runner: Runner) -> None:
    ran = runner("Record")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    ran = runner("Judge")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "api.pcapng: 1 exchange: " in ran.stdout
    suites = ElementTree.parse(runner.folder / "explain.xml").getroot()
    assert (suites.get("tests"), suites.get("failures")) == ("1", "0")
    log = json.loads((runner.folder / "explain.sarif").read_text())
    assert log["runs"][0]["tool"]["driver"]["name"] == "wireproof"


def test_the_steps_of_a_comparison_are_all_found() -> None:
    assert list(steps("regression")) == ["Install", "Record", "Compare", "Comment"]
    comment = steps("regression")["Comment"]
    assert comment.startswith("gh pr comment ") and comment.endswith("--body-file comment.md")


@pytest.mark.slow
@pytest.mark.packets
def test_what_became_worse_fails_and_is_told(runner: Runner) -> None:
    ran = runner("Record", "regression")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (runner.folder / "main.pcapng").write_bytes((runner.folder / "api.pcapng").read_bytes())
    made = [sys.executable, "-m", "wireproof", "diff", "main.pcapng"]
    made += ["--write-baseline", "baseline.json"]
    assert subprocess.run(made, cwd=runner.folder).returncode == 0
    ran = runner("Compare", "regression")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    same = (runner.folder / "comment.md").read_text()
    (runner.folder / "myapp.py").write_text(APP.replace("sleep(0.03)", "sleep(0.06)"))
    assert runner("Record", "regression").returncode == 0
    ran = runner("Compare", "regression")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    worse = (runner.folder / "comment.md").read_text()
    assert "`GET /chat`" in worse or "GET /chat" in worse
    assert "|" in worse and worse != same
    assert (runner.folder / "summary.md").read_text() == same + worse
