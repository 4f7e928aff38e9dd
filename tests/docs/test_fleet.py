"""The page about a fleet: each of its commands is run, and three hosts become a chart."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import nbformat
import pytest
import yaml
from support.corpus import ROOT

from wireproof.cli import cli, run
from wireproof.commands.export import export
from wireproof.query import ask
from wireproof.tables import TableOptions
from wireproof.tables.exporting import ExportJob
from wireproof.tables.exporting import run as export_all

PAGE = (ROOT / "docs" / "fleet.md").read_text()
EXAMPLES = ROOT / "examples"
NOTEBOOK = "first-token-by-release.ipynb"
HOSTS = {"web1": 0.02, "web2": 0.02, "web3": 0.12}
"""Seconds until the first token on each: release 42, on the third, is slower."""
REQUESTS = 8
PATIENCE = 60.0


def blocks(kind: str) -> list[list[str]]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return [block.splitlines() for its_kind, block in found if its_kind == kind]


TUTORIAL = [line.removeprefix("$ ") for block in blocks("console") for line in block]
OTHERS = [line for block in blocks("") for line in block if line]


# --- three hosts, one chart ---


def chunk(said: str) -> bytes:
    event = f"data: {said}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(event), event)


def token(word: str) -> str:
    return json.dumps(
        {"object": "chat.completion.chunk", "choices": [{"delta": {"content": word}}]}
    )


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@contextmanager
def host(delay: float) -> Iterator[int]:
    """A server whose model takes a while; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]

        def serve() -> None:
            for _ in range(REQUESTS):
                server, _ = listener.accept()
                with server:
                    server.recv(4096)
                    server.sendall(HEAD)
                    for word in ["one", "by", "one"]:
                        time.sleep(delay)
                        server.sendall(chunk(token(word)))
                    server.sendall(chunk("[DONE]") + b"0\r\n\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield port
        thread.join(5)


def words(command: str) -> list[str]:
    """What a shell would make of a command of ours; the program is this installation's."""
    program, *rest = shlex.split(command)
    return [str(Path(sys.executable).parent / program), *rest]


@contextmanager
def collecting(command: str, name: str, port: int, folder: Path) -> Iterator[None]:
    """Run the page's command as on a host, whose name and port these are."""
    here = command.replace("8000", str(port)).replace("ring/", f"ring-{name}/")
    words_here = [*words(here), "-i", "lo", "--host", name]
    process = subprocess.Popen(words_here, cwd=folder, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        assert "recording port" in process.stderr.readline()
        yield
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=PATIENCE)[1]
        assert process.returncode == 0, said
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What three collectors made of the traffic of three hosts, in a folder of its own."""
    folder = tmp_path_factory.mktemp("fleet")
    (folder / "examples").symlink_to(EXAMPLES)
    with ExitStack() as stack:
        ports = [stack.enter_context(host(delay)) for delay in HOSTS.values()]
        for name, port in zip(HOSTS, ports, strict=True):
            stack.enter_context(collecting(TUTORIAL[0], name, port, folder))
        for _ in range(REQUESTS):
            for port in ports:
                assert "one" in httpx.get(f"http://127.0.0.1:{port}/chat", timeout=PATIENCE).text
    return folder


def test_the_tutorial_is_all_run_below() -> None:
    assert TUTORIAL[0] == "wireproof collect --port 8000 --ring ring/ -o dataset/ --max-time 60"
    assert [command.split()[0] for command in TUTORIAL] == [
        *("wireproof", "wireproof", "wireproof", "cp", "wireproof", "jupyter", "wireproof")
    ]


@pytest.mark.slow
@pytest.mark.packets
def test_three_hosts_become_a_chart(data_set: Path) -> None:
    answers = {}
    for command in TUTORIAL[1:-1]:
        if command.startswith("cp"):
            ran = subprocess.run(["bash", "-c", command], cwd=data_set, check=True)
            continue
        environment = os.environ | {"DATASET": "dataset/"}
        ran = subprocess.run(
            words(command), cwd=data_set, env=environment, capture_output=True, text=True
        )
        assert ran.returncode == 0, f"{command}: {ran.stderr}"
        answers[command] = ran.stdout.splitlines()
    by_target, shares, by_release, _ = answers.values()
    assert "/chat" in by_target[1] and "token" in by_target[1]
    assert any(line.split()[:2] == ["ending", "whole"] for line in shares)
    rows = [line.split() for line in by_release[1:]]
    assert [row[:3] for row in rows] == [["/chat", "41", "16"], ["/chat", "42", "8"]]
    assert float(rows[1][4]) > float(rows[0][3]) + 0.05, "release 42 is slower"
    assert (data_set / "p99-by-release.png").stat().st_size > 10_000


@pytest.mark.slow
@pytest.mark.packets
def test_the_slowest_is_looked_at(data_set: Path) -> None:
    command = [*words(TUTORIAL[-1]), "--no-browser"]
    (data_set / "ring").mkdir(exist_ok=True)
    with subprocess.Popen(command, cwd=data_set, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with httpx.Client(follow_redirects=True, timeout=PATIENCE) as client:
            client.get(url)
            base = url.partition("?")[0]
            row = client.get(f"{base}answers/worst-exchanges").json()[0]
            path = f"{base}{row['opens'].partition('#')[0]}"
            name = client.get(f"{path}answers/summary").json()["name"]
        process.send_signal(signal.SIGINT)
    assert process.returncode == 0
    assert Path(row["capture"]).name == name and row["host"] in HOSTS


# --- the other commands of the page ---


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that has what the page names."""
    sse = ROOT / "fixtures" / "sse"
    for folder in ("captures", "rings", "release-41", "release-42"):
        (tmp_path / folder).mkdir()
        shutil.copy(sse / "plain.pcapng", tmp_path / folder)
    for name in ("capture", "before", "after", "run"):
        shutil.copy(sse / "slow.pcapng", tmp_path / f"{name}.pcapng")
    (tmp_path / "report.sql").write_text("SELECT count(*) AS number FROM exchanges")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_command_of_the_page_runs(prepared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the order in which it has them; with one of Dask's workers where it says four."""
    for command in OTHERS:
        line, _, output = command.partition(" > ")
        program, *arguments = shlex.split(line)
        assert program == "wireproof"
        if "--scheduler" in arguments:
            export.make_context("export", arguments[1:], parent=cli.make_context("x", ["demo"]))
            continue
        if "--workers" in arguments:
            continue  # tests/wireproof/tables/test_cluster.py has them
        code = run(arguments)
        shown = capsys.readouterr()
        assert code == 0, f"{command}: {shown.err}"
        if output:
            assert shown.out
    assert (prepared / "report.csv").read_text() == "number\n1\n"
    assert (prepared / "baseline.json").exists()


def test_what_the_page_does_in_python_runs(
    prepared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", "captures/", "-o", "dataset/"]) == 0
    for block in blocks("python"):
        code = "\n".join(block)
        if "wire." not in code and "s3://" not in code:  # a test; a store
            exec(compile(code, "docs/fleet.md", "exec"), {})  # noqa: S102
    assert "first_token" in capsys.readouterr().out


# --- the notebook, and what is deployed ---


def test_the_notebook_is_kept_without_what_it_printed() -> None:
    book = nbformat.read(EXAMPLES / NOTEBOOK, as_version=4)
    nbformat.validate(book)
    cells = [cell for cell in book.cells if cell.cell_type == "code"]
    assert len(cells) == 3
    assert all(not cell.outputs and cell.execution_count is None for cell in cells)


@pytest.mark.slow
def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbclient import NotebookClient

    for name in ("web1", "web2", "web3"):
        sources = [str(ROOT / "fixtures" / "sse" / f"{one}.pcapng") for one in ("plain", "slow")]
        options = TableOptions(host=name)
        export_all(ExportJob(sources, str(tmp_path / "dataset"), options), print)
    shutil.copy(EXAMPLES / "first-token-by-release.sql", tmp_path)
    monkeypatch.delenv("DATASET", raising=False)
    book = nbformat.read(EXAMPLES / NOTEBOOK, as_version=4)
    NotebookClient(book, timeout=240, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = "".join(str(cell.get("outputs", "")) for cell in book.cells)
    assert "/sse/slow" in shown and "web3" in shown
    assert (tmp_path / "p99-by-release.png").stat().st_size > 10_000
    sql = (EXAMPLES / "first-token-by-release.sql").read_text()
    rows = ask(str(tmp_path / "dataset"), sql).to_pylist()
    assert [(row["target"], row["release"], row["answers"]) for row in rows] == [
        *(("/sse", "41", 2), ("/sse", "42", 1), ("/sse/slow", "41", 2), ("/sse/slow", "42", 1))
    ]


def test_the_notebook_says_that_nothing_matched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = str(ROOT / "fixtures" / "sse" / "plain.pcapng")
    export_all(ExportJob([source], str(tmp_path / "set"), TableOptions(host="db9")), print)
    shutil.copy(EXAMPLES / "first-token-by-release.sql", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATASET", "set")
    book = nbformat.read(EXAMPLES / NOTEBOOK, as_version=4)
    names: dict[str, object] = {}
    for cell in book.cells:
        if cell.cell_type == "code":
            exec(cell.source, names)  # noqa: S102 # ours
    said = capsys.readouterr().out
    assert "Nothing matched" in said and "No chart" in said
    assert ["db9", "1"] in [line.split() for line in said.splitlines()]
    assert not (tmp_path / "p99-by-release.png").exists()


def test_the_manifest_is_what_dask_s_operator_describes() -> None:
    """Its documentation: DaskJob has a pod and a cluster, whose service finds the scheduler."""
    job = yaml.safe_load((ROOT / "docs" / "deploy" / "dask-export.yml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("kubernetes.dask.org/v1", "DaskJob")
    assert job["spec"].keys() == {"job", "cluster"}
    cluster = job["spec"]["cluster"]["spec"]
    assert cluster.keys() == {"worker", "scheduler"}
    assert cluster["worker"].keys() == {"replicas", "spec"}
    assert cluster["scheduler"].keys() == {"spec", "service"}
    [scheduler] = cluster["scheduler"]["spec"]["containers"]
    [worker] = cluster["worker"]["spec"]["containers"]
    [container] = job["spec"]["job"]["spec"]["containers"]
    assert (scheduler["name"], worker["name"]) == ("scheduler", "worker")
    assert worker["args"][:3] == ["worker", "--name", "$(DASK_WORKER_NAME)"]
    ports = {port["name"]: port["containerPort"] for port in scheduler["ports"]}
    service = cluster["scheduler"]["service"]
    assert {port["targetPort"]: port["port"] for port in service["ports"]} == ports
    for probe in ("readinessProbe", "livenessProbe"):
        assert scheduler[probe]["httpGet"] == {"port": "http-dashboard", "path": "/health"}
    assert service["selector"]["dask.org/cluster-name"] == job["metadata"]["name"]
    assert container["image"] == worker["image"] == scheduler["image"]
    command, *arguments = container["args"]
    assert command == "export"
    made = export.make_context("export", arguments, parent=cli.make_context("x", ["demo"]))
    assert made.params["scheduler"] == "$(DASK_SCHEDULER_ADDRESS)"
