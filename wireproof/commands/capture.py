"""``wireproof capture``: record packets into a pcapng file."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import UnsupportedOperation
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..output import STANDARD_OUTPUT
from .capturing import (
    backend_option,
    buffer_size_option,
    capture_problems,
    no_keys_option,
    say_backend,
    say_keys,
)
from .exits import (
    INTERRUPTED,
    TRANSPORTS,
    Missing,
    Seconds,
    Size,
    Unreadable,
    because,
    examples,
    need,
    say,
)
from .parsing import keep_rights_option

if TYPE_CHECKING:
    from capture.backends import Backend, Session, Wanted

DEVICE = "/dev/stdout"
"""The name by which standard output is opened."""


@click.command(
    epilog=examples(
        "wireproof capture sse -o sse.pcapng",
        "wireproof capture chunked --scenario truncated -o truncated.pcapng",
        "wireproof capture --port 8000 -o api.pcapng -- pytest tests/",
        "wireproof capture --port 8000 -o api.pcapng -- curl -N http://127.0.0.1:8000/chat",
        "wireproof capture --port 8000 -o - | wireproof decode -",
        "wireproof capture --port 8000 -o ring.pcapng --max-size 100M --files 5",
    )
)
@click.argument("words", nargs=-1, metavar="[TRANSPORT] [-- COMMAND ...]")
@click.option(
    "-o", "--output", metavar="FILE", required=True, help="The file to write; - is standard output."
)
@click.option("--scenario", metavar="NAME", help="Demo scenario to record; plain by default.")
@click.option(
    "--delay",
    type=Seconds(min=0),
    metavar="S",
    help="Seconds before each message, with TRANSPORT.",
)
@click.option(
    "--port",
    "ports",
    type=click.IntRange(1, 65535),
    metavar="N",
    multiple=True,
    help="Record all traffic on this port; may be repeated.",
)
@click.option(
    "-i",
    "--interface",
    metavar="NAME",
    help='Interface, with --port; loopback by default. On Linux "any" is all of them.',
)
@click.option(
    "--duration",
    type=Seconds(min=0),
    metavar="S",
    help="Stop after S seconds, with --port.",
)
@buffer_size_option(", with --port")
@click.option(
    "--max-size",
    type=Size(least=1024),
    metavar="SIZE",
    help="Start another file, FILE plus number and time, before one exceeds SIZE; with --port.",
)
@click.option(
    "--files",
    type=click.IntRange(min=1),
    metavar="K",
    help="Keep the newest K files and delete the rest; with --max-size.",
)
@keep_rights_option
@no_keys_option
@backend_option
def capture(
    words: tuple[str, ...],
    output: str,
    scenario: str | None,
    delay: float | None,
    ports: tuple[int, ...],
    interface: str | None,
    duration: float | None,
    buffer_size: int | None,
    max_size: int | None,
    files: int | None,
    no_keys: bool,
    backend: str | None,
) -> int:
    """Record packets to a pcapng file.

    With TRANSPORT (chunked, sse or websocket), start a demo server, drive it and record it. With
    --port, record all traffic on that port, while COMMAND runs or until Ctrl-C.

    The first backend that works does the recording; "wireproof doctor" shows which ones work. The
    packet socket, dumpcap, tcpdump and scapy need a privilege and record every program's traffic;
    macOS and Windows use scapy (pip install 'wireproof[scapy]'). Without the privilege,
    "namespace" runs COMMAND in a private network and records real packets, but only those that
    COMMAND itself serves or requests; a server listening on the port outside is reachable too.
    "relay" forwards COMMAND's connections to the port and writes what it reads: bytes and times
    are right, but packet boundaries are its own reads. Without COMMAND, it prints the port to
    connect to.

    COMMAND runs with SSLKEYLOGFILE and NODE_OPTIONS set: curl, Python, node and Chrome log their
    TLS secrets without further setup, and FILE holds them. docs/captures.md lists what other
    programs need.
    """
    path = _standard_output() if output == "-" else output
    if not ports:
        _only_with(
            "--port",
            {
                "--interface": interface,
                "--duration": duration,
                "--buffer-size": buffer_size,
                "--max-size": max_size,
                "--files": files,
            },
        )
        return _capture_scenario(_one_transport(words), scenario or "plain", path, delay, backend)
    _only_with("TRANSPORT", {"--scenario": scenario, "--delay": delay})
    if max_size is None:
        _only_with("--max-size", {"--files": files})
    elif output == "-":
        raise click.UsageError(
            "--max-size needs the name of a FILE, not -", click.get_current_context()
        )
    wanted = _wanted(path, ports, interface, words, buffer_size, max_size, files)
    return _capture_port(wanted, backend, duration, words, keys=not no_keys)


def _standard_output() -> str:
    if sys.platform == "win32":
        raise Missing("-o -: standard output has no name on Windows; -o FILE works")
    try:
        with suppress(UnsupportedOperation):  # it is not a file, but stands in for one
            os.write(sys.stdout.fileno(), b"")  # by its name even one that is closed can be opened
    except OSError as error:
        raise Unreadable(because(STANDARD_OUTPUT, error)) from error
    return DEVICE


def _called(path: str) -> str:
    return STANDARD_OUTPUT if path == DEVICE else path


def _one_transport(words: tuple[str, ...]) -> str:
    if len(words) != 1 or words[0] not in TRANSPORTS:
        raise click.UsageError(
            f"expected --port, or one transport of {', '.join(TRANSPORTS)}; found "
            + (repr(" ".join(words)) if words else "neither"),
            click.get_current_context(),
        )
    return words[0]


def _only_with(what: str, options: dict[str, object]) -> None:
    for name, value in options.items():
        if value is not None:
            raise click.UsageError(f"{name} requires {what}", click.get_current_context())


def _capture_scenario(
    transport: str, name: str, path: str, delay: float | None, backend: str | None
) -> int:
    need("demo", "capture TRANSPORT")
    from ..tasks.demo import prepare, record_scenario

    with capture_problems(_called(path)):
        chosen = prepare(backend)
        say_backend(chosen)
        try:
            recorded = record_scenario(transport, name, path, delay, chosen)
        except LookupError as error:
            raise Unreadable(str(error.args[0])) from error
    say(f"{path}: {_captured(*recorded.statistics)}")
    return 0


def _wanted(
    path: str,
    ports: tuple[int, ...],
    interface: str | None,
    command: tuple[str, ...],
    buffer_size: int | None,
    max_size: int | None,
    files: int | None,
) -> Wanted:
    from capture.backends import Wanted
    from capture.backends.base import LOOPBACK
    from capture.frames import BUFFER_SIZE
    from capture.output import Limits

    return Wanted(
        Path(path),
        ports[0],
        interface or LOOPBACK,
        tuple(dict.fromkeys(ports[1:])),
        has_command=bool(command),
        buffer_size=buffer_size or BUFFER_SIZE,
        limits=Limits(max_size, files),
    )


def _capture_port(
    wanted: Wanted,
    name: str | None,
    duration: float | None,
    command: tuple[str, ...],
    *,
    keys: bool,
) -> int:
    from capture.backends import choose

    from ..tasks.capture import record_port

    with capture_problems(_called(str(wanted.path))):
        backend = choose(wanted, name)
        recorded = record_port(
            wanted,
            backend,
            duration=duration,
            command=command,
            keys=keys,
            ready=lambda session: _say_what_is_on(wanted, backend, session),
            say=say,
        )
    say(f"{wanted.path}: {_captured(*recorded.statistics)}")
    if recorded.has_keys:
        say_keys(f"{wanted.path}" if wanted.path.is_file() else "the recording")
    if not recorded.statistics.captured:
        from ..tasks.silence import why_silent

        for line in why_silent((wanted.port, *wanted.more_ports), wanted.interface):
            say(line)
    return INTERRUPTED if recorded.interrupted else recorded.exit_code


def _say_what_is_on(wanted: Wanted, backend: Backend, session: Session) -> None:
    until = "" if wanted.has_command else "; Ctrl-C stops it"
    ports = f"ports {wanted.ports}" if wanted.more_ports else f"port {wanted.ports}"
    where = "all interfaces" if wanted.interface == "any" else wanted.interface
    say(f"recording {ports} on {where} with {backend.name}{until}")
    for note in session.notes:
        say(note)


def _captured(captured: int, dropped: int) -> str:
    return f"{captured:,} packets captured, {dropped:,} dropped"
