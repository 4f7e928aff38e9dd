"""What ``wireproof demo --cause`` does: a fault, what is said of it, its remedy, what is said then.

Strategy: both ways are served for real, by processes of their own, recorded from the kernel and
explained as any capture is. Nothing that is printed is prepared: it is right if the verdict names
the fault, and has nothing against the cure.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import click
from capture import CaptureError
from capture.clients.plain import ask
from capture.linux.private_network import private_network, refusal
from server.causes.apps import EVENTS, EVERY, event
from server.causes.process import CauseServer, Which
from server.causes.proxies import find
from server.causes.registry import Shown, Way

from .. import __version__, decode
from ..analysis.hops.report import Report, hops
from ..analysis.judges import Explained, explain
from ..analysis.listing import listed
from ..analysis.outcomes import Outcome
from ..analysis.verdict import Verdict
from ..views.hops import FORMATS as HOPS
from ..views.verdicts import FORMATS
from .demo import CLOSE_TIMEOUT, recorder_of

HEAD = (
    b"%s /%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept-Encoding: gzip\r\nConnection: close\r\n%s\r\n"
)
CHUNKED = b"Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n"


class Told(NamedTuple):
    """What one way came to."""

    said: Explained | Report
    """Of the exchange, or of the hop that it passed."""
    verdict: Verdict | None
    """The answer to the question that the cause is about."""


def record_cause(shown: Shown, which: Which, path: Path, backend: str) -> Told:
    """Record one way of a cause into a file and explain that; raises as :func:`record_way` does."""
    is_hop = shown.question == "hop"
    record_way(shown, which, path, backend, both_legs=is_hop or shown.leg == "app")
    return _hop_told(path) if is_hop else _told(shown, path)


def _hop_told(path: Path) -> Told:
    """Return what is said of the hop between the two legs of a capture."""
    report = hops([(path.name, decode(path))])
    return Told(report, None if report.worst is None else report.worst.verdict)


def record_way(
    shown: Shown, which: Which, path: Path, backend: str, *, both_legs: bool = False
) -> None:
    """Serve one way of a cause, ask for it and record it: also behind its proxy with ``both_legs``.

    Raises ServerStartError, what recording raises, and CaptureError if a connection stays open.
    """
    with ExitStack() as stack:
        if shown.fault.path is not None:
            stack.enter_context(private_network())
        server = stack.enter_context(CauseServer(shown, which))
        port = (server.port, server.app_port) if both_legs else server.port
        comment = f"{shown.name}: the {which}"
        where = {} if shown.fault.path is None else {"interface": server.interface}
        with recorder_of(backend)(
            path, port=port, comment=comment, version=__version__, **where
        ) as recorder:
            _drive(server.way, server.host, getattr(recorder, "port", server.port))
            if not recorder.wait_closed(CLOSE_TIMEOUT):
                raise CaptureError(f"a connection was still open after {CLOSE_TIMEOUT:g} s")


def _told(shown: Shown, path: Path) -> Told:
    """Return what is said of the exchange that the cause is about: the first that has an answer.

    Where the app's leg shows it, the last: a proxy asks after it was asked.
    """
    found = sorted(explain(decode(path)), key=lambda one: one.exchange.number)
    for one in reversed(found) if shown.leg == "app" else found:
        for verdict in one.verdicts:
            if verdict.question == shown.question:
                return Told(one, verdict)
    return Told(found[0], None)


def _drive(way: Way, host: str, port: int) -> None:
    """Ask as the way wants it, to the end."""
    other = threading.Thread(target=_ask_later, args=(port,))
    if way.beside is not None:
        other.start()
    if way.uploads:
        ask(
            host,
            port,
            HEAD % (b"POST", b"chat", port, CHUNKED),
            pieces=_chunks(),
            every=EVERY,
        )
    else:
        ask(
            host,
            port,
            HEAD % (b"GET", b"chat", port, b""),
            stops_reading=way.stops_reading,
            delays_acks=way.nagle is not None,
        )
    if way.beside is not None:
        other.join()


def _ask_later(port: int) -> None:
    time.sleep(2.5 * EVERY)
    ask("127.0.0.1", port, HEAD % (b"GET", b"report", port, b""))


def _chunks() -> Iterator[bytes]:
    for number in range(EVENTS):
        data = event(number)
        yield b"%x\r\n%s\r\n" % (len(data), data)
    yield b"0\r\n\r\n"


def is_as_shown(shown: Shown, which: Which, verdict: Verdict | None) -> bool:
    """Whether a verdict says what it should: the fault with its cause, the cure without any."""
    if verdict is None:
        return which == "cure" and not shown.cured
    named = {cause.code for cause in verdict.causes}
    if which == "cure":
        is_cured = verdict.answer == shown.cured and not verdict.is_fault
        return is_cured and shown.cause not in named
    return verdict.answer == shown.answer and shown.cause in named


def lacking(shown: Shown, backend: str) -> str | None:
    """Return why a cause cannot be shown on this machine, by this backend; None if it can."""
    program = shown.fault.proxy
    if program is not None and find(program) is None:
        return f"{program} is not installed: apt-get install {program}"
    if backend == "relay" and shown.hidden:
        return f"a relay does not see {shown.hidden}: capturing packets takes a privilege"
    return refusal() if shown.fault.path is not None else None


def run(shown: Shown, backend: str) -> list[str]:
    """Show a cause and its cure; return of each that was not told for what it is what was said.

    Raises as :func:`record_cause` does.
    """
    wrong: list[str] = []
    with TemporaryDirectory(prefix="wireproof-") as folder:
        for which, said in _ways(shown):
            click.secho(f"{said}\n", bold=True)
            told = record_cause(shown, which, Path(folder, f"{which}.pcapng"), backend)
            _print(told)
            click.echo()
            if not is_as_shown(shown, which, told.verdict):
                wrong.append(_complaint(shown, which, told.verdict))
    return wrong


def _print(told: Told) -> None:
    """Print what is said, as ``wireproof explain`` does, or ``wireproof hops``."""
    if isinstance(told.said, Explained):
        view = FORMATS["table"](sys.stdout)
        view.add(Outcome(listed(told.said), told.said.verdicts), [])
    else:
        HOPS["table"](sys.stdout, 0)(told.said)


def _complaint(shown: Shown, which: Which, verdict: Verdict | None) -> str:
    said = "nothing" if verdict is None else verdict.answer
    cured = shown.cured or "nothing"
    expected = cured if which == "cure" else f"{shown.answer} by {shown.cause}"
    return f"the {which} was judged {said}, not {expected}"


def _ways(shown: Shown) -> Iterator[tuple[Which, str]]:
    yield "fault", f"The fault: {shown.summary}."
    yield "cure", f"The remedy: {shown.remedy}."
