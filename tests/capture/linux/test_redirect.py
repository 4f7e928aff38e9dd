"""A command's connections, redirected: what it asked for is what it believes it has."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from support.exchanges import served

from capture.linux import spawn_child
from capture.linux.listening import is_listening
from capture.linux.redirect import Redirect, _is_here
from capture.linux.spawn import SpawnRefused

PATIENCE = 60
pytestmark = pytest.mark.redirects


@pytest.fixture
def ports() -> Iterator[tuple[int, int]]:
    """The port that a command asks for, and the one to which it is sent."""
    with served(b"from here") as asked, served(b"from there") as target:
        yield asked, target


def output(redirect: Redirect, code: str, *arguments: object) -> str:
    command = [sys.executable, "-c", f"import socket, sys\n{code}", *map(str, arguments)]
    process = redirect.popen(command, stdout=subprocess.PIPE, text=True)
    told: str = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 0
    return told.strip()


ASK = """
host, port = sys.argv[1], int(sys.argv[2])
s = socket.create_connection((host, port), 10)
s.shutdown(socket.SHUT_WR)
print(s.makefile().read())
"""


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "localhost", "0.0.0.0"])
def test_a_connection_goes_elsewhere(ports: tuple[int, int], host: str) -> None:
    with Redirect(*ports) as redirect:
        assert output(redirect, ASK, host, ports[0]) == "from there"


def test_other_connections_go_where_they_went(ports: tuple[int, int]) -> None:
    with served(b"another") as another, Redirect(*ports) as redirect:
        assert output(redirect, ASK, "127.0.0.1", another) == "another"


BLOCKING = """
s = socket.socket()
s.connect(("127.0.0.1", int(sys.argv[1])))
s.shutdown(socket.SHUT_WR)
print(s.makefile().read())
"""
OF_A_THREAD = """
import threading
def ask():
    s = socket.socket()
    s.connect(("127.0.0.1", int(sys.argv[1])))
    s.shutdown(socket.SHUT_WR)
    print(s.makefile().read())
thread = threading.Thread(target=ask)
thread.start()
thread.join()
"""
OF_A_CHILD = f"""
import subprocess
code = '''import socket, sys
{BLOCKING}'''
print(subprocess.check_output([sys.executable, "-c", code, sys.argv[1]], text=True).strip())
"""
ASYNC = """
import asyncio
async def ask():
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
    writer.write_eof()
    print((await reader.read()).decode())
    writer.close()
asyncio.run(ask())
"""


@pytest.mark.parametrize("code", [BLOCKING, OF_A_THREAD, OF_A_CHILD, ASYNC])
def test_whoever_connects(ports: tuple[int, int], code: str) -> None:
    with Redirect(*ports) as redirect:
        assert output(redirect, code, ports[0]) == "from there"


def test_where_nobody_listens_a_connection_is_refused() -> None:
    """Who waits for a server to come up connects until it is there."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    code = "print(socket.socket().connect_ex(('127.0.0.1', int(sys.argv[1]))))"
    with served(b"") as target, Redirect(port, target) as redirect:
        assert output(redirect, code, port) == "111"


UNTIL_ANSWERED = """
while True:
    try:
        s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
        break
    except ConnectionRefusedError:
        continue
s.shutdown(socket.SHUT_WR)
print(s.makefile().read())
"""


@pytest.mark.parametrize("timeout", ["10", "None"])
def test_a_server_that_begins_to_listen_as_it_is_asked(
    monkeypatch: pytest.MonkeyPatch, timeout: str
) -> None:
    """Just after it was found not to listen: its first client is not let through unseen."""
    with socket.socket() as server, served(b"from there") as target:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        answers: list[bool] = []

        def looked_up(wanted: int) -> bool:
            answers.append(is_listening(wanted))
            if len(answers) > 1:  # the first time it is asked whether a rule leads there
                server.listen()
            return answers[-1]

        monkeypatch.setattr("capture.linux.redirect.is_listening", looked_up)
        with Redirect(port, target) as redirect:
            code = UNTIL_ANSWERED.replace(", 10)", f", {timeout})")
            assert output(redirect, code, port) == "from there"
        assert answers[:2] == [False, False]
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize("blocking", [True, False])
def test_a_refusal_is_as_the_kernel_gives_it(blocking: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    code = f"""
import select
s = socket.socket()
s.setblocking({blocking})
first = s.connect_ex(("127.0.0.1", int(sys.argv[1])))
select.select([], [s], [], 10)
print(first, s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), s.connect_ex(("127.0.0.1", 1)))
"""
    plain = subprocess.run(
        [sys.executable, "-c", f"import socket, sys\n{code}", str(port)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    with served(b"") as target, Redirect(port, target) as redirect:
        assert output(redirect, code, port) == plain.stdout.strip()


def test_a_port_that_a_rule_leads_elsewhere(
    ports: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is in the table, and yet who connects is answered."""
    monkeypatch.setattr("capture.linux.redirect.is_listening", lambda port: False)
    with Redirect(*ports) as redirect:
        assert output(redirect, ASK, "127.0.0.1", ports[0]) == "from there"


def test_calls_that_make_no_sense_stay_so(ports: tuple[int, int]) -> None:
    code = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print([libc.connect(fd, address, size) and ctypes.get_errno()
       for fd, address, size in ((0, None, 16), (999, b"x" * 16, 16), (1, b"x", 1))])
"""
    with Redirect(*ports) as redirect:
        assert output(redirect, code) in ("[14, 9, 88]", "[88, 9, 88]")


def test_how_a_command_ends(ports: tuple[int, int]) -> None:
    with Redirect(*ports) as redirect:
        assert redirect.popen(["sh", "-c", "exit 7"]).wait(PATIENCE) == 7
        with pytest.raises(FileNotFoundError):
            redirect.popen(["no-such-command"])


def test_it_can_be_tried() -> None:
    assert Redirect.available() is None


def test_an_unknown_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spawn_child, "SYSTEM_CALLS", {})
    with pytest.raises(spawn_child.Refused, match="watching connections: not known for"):
        spawn_child.watch_connections(-1)


def test_a_refusal_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*about: object) -> None:
        raise SpawnRefused("watching connections: Operation not permitted")

    monkeypatch.setattr("capture.linux.redirect.spawn", refuse)
    assert Redirect.available() == "watching connections: Operation not permitted"


@pytest.mark.parametrize("wanted", [b"", b"\x01\x00/tmp/socket", b"\x02\x00\x1f", b"\x0a\x00" * 4])
def test_addresses_that_are_none(wanted: bytes) -> None:
    assert not _is_here(wanted, 8_000)
