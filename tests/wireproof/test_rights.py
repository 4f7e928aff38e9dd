"""What a command that parses holds no more, seen in /proc, and that it works without it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest
from support.command_lines import READERS, WRITERS, reading, small, writing
from support.corpus import ROOT
from support.forked import Forked

from capture.linux.rights import landlock_version
from wireproof.cli import run
from wireproof.rights import NOBODY, looked_through, paths, reached

COMMAND = [sys.executable, "-m", "wireproof"]
PLAIN = ROOT / "fixtures" / "sse" / "plain.pcapng"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")
with_landlock = pytest.mark.skipif(not landlock_version(), reason="this kernel lacks Landlock")


def status(process: int) -> dict[str, str]:
    """What the kernel says of a process."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


@contextmanager
def parsing(*arguments: str) -> Iterator[int]:
    """Run a command that has parsed the first half of its standard input; yield its process."""
    data = PLAIN.read_bytes()
    with subprocess.Popen(
        [*COMMAND, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(data[: len(data) // 2])
        process.stdin.flush()
        assert process.stdout.readline()
        yield process.pid
        process.stdin.write(data[len(data) // 2 :])
        process.stdin.close()
        process.stdout.read()
    assert process.returncode == 0


SETS = ("CapPrm", "CapEff", "CapInh", "CapAmb")


def test_what_parses_holds_no_rights() -> None:
    with parsing("decode", "-", "--format", "ndjson") as process:
        found = status(process)
    assert {int(found[name], 16) for name in SETS} == {0}
    assert found["NoNewPrivs"] == "1"
    assert found["Seccomp"] == "2"


# Every command that parses, with the capture and an output's folder: it is read from a pipe whose
# other end is not closed, so the command is parsing for as long as it is looked at.
PARSING = {
    **{f"reader {name}": [*words, "{in}"] for name, words in READERS.items() if words[0] != "hops"},
    "hops": ["hops", "{plain}", "{in}"],
    **{f"writer {name}": [*words, "{in}", "-o", "{out}"] for name, words in WRITERS.items()},
    "a data set": ["export", "{in}", "-o", "{out}/"],
    "diff": ["diff", "{plain}", "{in}"],
    "query": ["query", "{in}", "SELECT count(*) FROM exchanges"],
    "compare": ["compare", "{in}"],
    "plot": ["plot", "{in}", "-o", "{out}.svg"],
    "view": ["view", "{in}", "--no-browser"],
}
ONE_OF_EACH = {words[0]: name for name, words in PARSING.items()} | {"export": "a data set"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_OF_EACH.values(), ids=list(ONE_OF_EACH))
def test_every_command_that_parses_holds_no_rights(name: str, tmp_path: Path) -> None:
    """Looked at when it has opened its input, of which half has come."""
    pipe = tmp_path / "capture"
    os.mkfifo(pipe)
    places = {"in": pipe, "plain": PLAIN, "out": tmp_path / "out"}
    words = [word.format(**places) for word in PARSING[name]]
    process = subprocess.Popen(
        [*COMMAND, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    with process, pipe.open("wb") as capture:  # which waits until the command has opened it
        capture.write(PLAIN.read_bytes()[:2_000])
        capture.flush()
        found = status(process.pid)
        process.kill()
    assert {int(found[one], 16) for one in SETS} == {0}
    assert found["NoNewPrivs"] == "1"
    assert found["Seccomp"] == "2"


@as_root
def test_root_can_keep_its_rights() -> None:
    with parsing("decode", "-", "--format", "ndjson", "--keep-rights") as process:
        found = status(process)
    assert int(found["CapEff"], 16) == int(status(os.getpid())["CapEff"], 16)
    assert found["NoNewPrivs"] == "0"


def test_a_program_that_runs_a_command_keeps_its_rights() -> None:
    before = status(os.getpid())
    assert run(["ls", str(PLAIN)]) == 0
    after = status(os.getpid())
    for name in ("CapEff", "NoNewPrivs", "Uid", "Gid"):
        assert after[name] == before[name]


def ended(*arguments: str) -> tuple[int, bytes, bytes]:
    # Not what readline, once it is loaded, tells all children of the terminal.
    environment = {**os.environ}
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, env=environment, check=False)
    return done.returncode, done.stdout, done.stderr


def with_rights(commands: Forked, arguments: list[str]) -> tuple[int, bytes, bytes]:
    """The same of a command that keeps them, and so need not start anew."""
    with TemporaryFile() as output:
        code, said = commands.came_to([*arguments, "--keep-rights"], output.fileno())
        output.seek(0)
        return code, output.read(), said.encode()


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_a_reader_says_the_same_without_rights(name: str, tmp_path: Path, commands: Forked) -> None:
    path = tmp_path / "small.pcapng"
    path.write_bytes(small())
    arguments = reading(name, path)
    assert ended(*arguments) == with_rights(commands, arguments)


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITERS)
def test_a_writer_writes_the_same_without_rights(
    name: str, tmp_path: Path, commands: Forked
) -> None:
    path = tmp_path / "small.pcapng"
    path.write_bytes(small())
    arguments, output = writing(name, path, tmp_path)
    kept = with_rights(commands, arguments), output.stat()
    given_up = ended(*arguments), output.stat()
    assert given_up[0] == kept[0]
    assert given_up[1].st_size == kept[1].st_size
    assert (given_up[1].st_uid, given_up[1].st_mode) == (kept[1].st_uid, kept[1].st_mode)
    assert {left.name for left in tmp_path.iterdir()} == {path.name, output.name}


@pytest.mark.slow
def test_several_processes_decode_without_rights() -> None:
    arguments = ["decode", str(PLAIN), "--format", "ndjson"]
    assert ended(*arguments, "--jobs", "2") == ended(*arguments, "--keep-rights")


# --- giving up, in processes of their own ---

GIVE_UP = """
import os, sys
from wireproof.rights import Needs, give_up
listens = os.environ.get("LISTENS")
listens = None if listens is None else int(listens)
listed = tuple(filter(None, [os.environ.get("LISTED")]))
found = give_up(Needs((sys.argv[1],), tuple(sys.argv[2:]), listed), listens=listens)
def tried(path, mode):
    try:
        open(path, mode).close()
    except PermissionError:
        return "no"
    except OSError as error:
        return type(error).__name__
    return "yes"
"""


def after(script: str, *arguments: str, listens: int | None = None, **options: Any) -> list[str]:
    """Give up in a process of its own, run a script there, and return what it prints."""
    if listens is not None:
        options["env"] = {**os.environ, "LISTENS": str(listens)}
    done = subprocess.run(
        [sys.executable, "-c", GIVE_UP + script, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        **options,
    )
    return str(done.stdout).split()


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """A capture beside a secret, in a folder that temporary files do not lie in."""
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "in.pcapng").write_bytes(small())
    (tmp_path / "out").mkdir()
    (tmp_path / "tmp").mkdir(mode=0o777)
    return tmp_path


@with_landlock
def test_nothing_but_input_and_output_can_be_opened(private: Path) -> None:
    script = """
here = os.path.dirname(sys.argv[1])
print(tried(sys.argv[1], "rb"), tried(sys.argv[1], "ab"), tried(here + "/secret", "rb"))
print(tried(sys.argv[2], "wb"), tried(here + "/new", "wb"), tried(here + "/tmp/new", "wb"))
print(tried("/etc/shadow", "rb"), tried("/etc/new", "wb"))
"""
    out = str(private / "out" / "records.ndjson")
    found = after(
        script, str(private / "in.pcapng"), out, env={**os.environ, "TMPDIR": str(private / "tmp")}
    )
    assert found == ["yes", "no", "no", "yes", "no", "yes", "no", "no"]


@with_landlock
def test_no_connection_can_be_made() -> None:
    script = """
import socket
for kind in ("AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_PACKET"):
    for act in ("SOCK_STREAM", "SOCK_DGRAM"):
        try:
            socket.socket(getattr(socket, kind), getattr(socket, act)).close()
        except OSError as error:
            print(type(error).__name__)
print(*(part.fileno() > 0 for part in socket.socketpair()))
"""
    assert after(script, str(PLAIN)) == [*["PermissionError"] * 10, "True", "True"]


def test_who_serves_a_page_listens_there_and_nowhere_else() -> None:
    script = """
import socket
def listened(port):
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        return type(error).__name__
    return "yes"
def connected():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        try:
            client.connect(server.getsockname())
        except OSError as error:
            return type(error).__name__
print(listened(0), connected())
try:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
except OSError as error:
    print(type(error).__name__)
print(tried("/etc/shadow", "rb"))
"""
    found = after(script, str(PLAIN), listens=0)
    assert found == ["yes", "PermissionError", "PermissionError", "no"]


@pytest.mark.skipif(landlock_version() < 4, reason="Landlock of this kernel knows no TCP")
def test_another_port_than_that_of_the_page_is_refused() -> None:
    script = """
import socket
try:
    socket.create_server(("127.0.0.1", 0))
except OSError as error:
    print(type(error).__name__)
"""
    assert after(script, str(PLAIN), listens=9) == ["PermissionError"]


@as_root
@pytest.mark.parametrize(
    ("owner", "mode", "user"),
    [(0, 0o755, 0), (1234, 0o755, 1234), (1234, 0o1777, 0), (1234, 0o500, 0)],
)
def test_who_root_becomes_is_for_the_outputs_folder_to_say(
    owner: int, mode: int, user: int, tmp_path: Path
) -> None:
    """Where its owner can write what is wanted; a folder of everybody's is nobody's."""
    tmp_path.chmod(0o755)
    for above in tmp_path.parents:
        if above.is_relative_to("/tmp") and above != Path("/tmp"):
            above.chmod(0o755)
    folder = tmp_path / "out"
    folder.mkdir()
    os.chown(folder, owner, owner)
    folder.chmod(mode)
    (tmp_path / "in").write_bytes(small())
    script = "print(os.geteuid(), found.user, len(found.kept) > 0)"
    found = after(script, str(tmp_path / "in"), str(folder / "o"))
    assert found[0] == found[1]
    assert found[0] in (str(user), "0")  # 0 where only root can read this Python


@as_root
def test_an_input_that_only_the_right_over_files_can_read(tmp_path: Path) -> None:
    path = tmp_path / "theirs"
    path.write_bytes(small())
    os.chown(path, 1234, 1234)
    path.chmod(0o600)
    script = 'print(tried(sys.argv[1], "rb"), len(found.kept) > 0)'
    assert after(script, str(path)) == ["yes", "True"]
    code, _, said = ended("ls", str(path))
    assert code == 0
    assert said.startswith(b"wireproof: keeping the right to open any file: ")


@as_root
def test_what_no_right_would_open_is_no_reason_to_keep_one() -> None:
    """As an output on a file system that is read-only."""
    script = """
from wireproof import rights
rights._can_open = lambda read, needs: False
print(rights._leave_root(Needs((sys.argv[1],))) or "nothing")
"""
    assert after(script, str(PLAIN)) == ["nothing"]


@as_root
@pytest.mark.parametrize("holds", ["the input", "libraries"])
def test_a_folder_that_only_root_can_enter_is_not_taken_for_none(
    holds: str, tmp_path: Path
) -> None:
    """Nobody else sees that something is there: so it is asked before rights are given up."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "in").write_bytes(small())
    path = closed / "in" if holds == "the input" else PLAIN
    environment = {**os.environ, "PYTHONPATH": str(closed / "in")}
    options = {"env": environment} if holds == "libraries" else {}
    script = 'print(os.geteuid(), tried(sys.argv[1], "rb"))'
    assert after(script, str(path), **options) == ["0", "yes"]


def test_options_that_name_files() -> None:
    assert paths(["a", None, ("b", "-"), "-", 7]) == ("a", "b")
    assert NOBODY == 65_534


@pytest.fixture
def linked(private: Path) -> Path:
    """A folder with a link to a capture elsewhere, and one to a folder with another."""
    (private / "in" / "below").mkdir(parents=True)
    (private / "[in]").touch()
    (private / "in" / "link.pcapng").symlink_to("../in.pcapng")
    (private / "in" / "below" / "link.pcapng").symlink_to(private / "in.pcapng")
    return private


NAMED = {
    "a file": ("in.pcapng", {"in.pcapng"}),
    "a file that looks like a pattern": ("[in]", {"[in]"}),
    "what is not there": ("none", {"none"}),
    "a folder": ("in", {"in", "in.pcapng"}),
    "a pattern of files": ("in/l*", {"in/l*", "in.pcapng"}),
    "a pattern of folders": ("i?", {"i?", "in", "in.pcapng"}),
    "a pattern of nothing": ("x/*", {"x/*"}),
}


@pytest.mark.parametrize(("name", "found"), NAMED.values(), ids=NAMED)
def test_what_names_stand_for(linked: Path, name: str, found: set[str]) -> None:
    assert set(reached([str(linked / name)])) == {str(linked / one) for one in found}


def test_a_pattern_of_this_folder(linked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(linked)
    assert set(reached(["*.pcapng"])) == {"*.pcapng", str(linked / "in.pcapng")}
    assert list(looked_through(["*.pcapng"])) == [str(linked)]
    assert list(looked_through(["in", "in.pcapng", "none"])) == []


def test_patterns_look_through_folders_that_are_links(linked: Path) -> None:
    (linked / "other").symlink_to("in")
    assert set(looked_through([str(linked / "ot*" / "l*")])) == {str(linked), str(linked / "in")}


@with_landlock
def test_of_folders_that_patterns_look_through_nothing_else_is_read(private: Path) -> None:
    script = """
here = os.path.dirname(sys.argv[1])
print(tried(sys.argv[1], "rb"), tried(here + "/secret", "rb"), "secret" in os.listdir(here))
"""
    environment = {**os.environ, "TMPDIR": str(private / "tmp"), "LISTED": str(private)}
    found = after(script, str(private / "in.pcapng"), env=environment)
    assert found == ["yes", "no", "True"]


@with_landlock
@pytest.mark.parametrize("name", ["in", "in/*.pcapng", "in/below", "i?/b*/*"])
def test_captures_behind_links_can_be_read(linked: Path, name: str) -> None:
    environment = {**os.environ, "TMPDIR": str(linked / "tmp")}
    command = ["query", str(linked / name), "SELECT count(*) FROM exchanges", "--format", "csv"]
    done = subprocess.run(
        [sys.executable, "-m", "wireproof", *command], capture_output=True, env=environment
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_nothing_is_left_of_trying() -> None:
    """Whether another user could do it was tried in a child: it has been waited for."""
    script = """
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("none")
"""
    assert after(script, str(PLAIN)) == ["none"]


@pytest.mark.tshark
def test_wireshark_gets_its_profile_without_rights() -> None:
    code, said, wrong = ended("compare", str(PLAIN))
    assert (code, wrong) == (0, b"")
    assert b" 0 differs" in said


# --- recordings ---


def rights_of_threads(process: int) -> dict[str, tuple[int, str]]:
    """The effective capabilities of each thread, and whether it can gain more, by its name."""
    found = {}
    for task in Path(f"/proc/{process}/task").iterdir():
        lines = (task / "status").read_text().splitlines()
        said = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
        found[task.name] = int(said["CapEff"], 16), said["NoNewPrivs"]
    return found


def threads_while_watching(*options: str) -> tuple[tuple[int, str], list[tuple[int, str]]]:
    """The rights of the main thread, and of the others, of a watch that is on."""
    command = [sys.executable, "-c", "import sys; print('on', flush=True); sys.stdin.read()"]
    watch = [*COMMAND, "watch", "--port", "9", "--backend", "packet-socket", *options]
    with subprocess.Popen(
        [*watch, "--", *command],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None and process.stderr is not None
        while process.stderr.readline() != b"on\n":  # where the command's output goes
            assert process.poll() is None
        found = rights_of_threads(process.pid)
        main = found.pop(str(process.pid))
        process.stdin.close()
        process.stderr.read()
    return main, list(found.values())


@as_root
@pytest.mark.packets
def test_all_threads_of_a_watch_can_keep_their_rights() -> None:
    main, others = threads_while_watching("--keep-rights")
    assert main[0] == int(status(os.getpid())["CapEff"], 16)
    assert len(others) >= 2 and set(others) == {main}


@as_root
@pytest.mark.packets
def test_threads_of_a_watch_hold_no_rights_but_the_one_that_runs_the_command() -> None:
    """What records and what parses: of all threads only two keep theirs, and neither parses."""
    main, others = threads_while_watching()
    assert main[0] == int(status(os.getpid())["CapEff"], 16)
    assert others.count((0, "1")) == 1  # what parses
    assert others.count((0, "0")) == 1  # what records
