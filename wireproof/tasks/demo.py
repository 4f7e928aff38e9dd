"""The main job in one piece: serve, capture, drive, decode, show.

Strategy: the demo server is a process of its own, the recorder a thread of this one, and the
client runs in between, on real sockets: what is shown went through the kernel. A recording ends
when its connections have closed and their last packets are in the file. Each exchange is
recorded into a file of its own, so that its packets count from 1.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import click
from capture import CaptureError, CaptureNotPermitted, Recording, Relay, Statistics
from capture.backends import Wanted, choose
from capture.clients import Received, receive_chunked, receive_events, receive_messages
from parsers.records import Transport
from server import DemoServer, Scenario, scenario

from .. import __version__, decode
from ..analysis.summary import Summary
from ..views.kinds import open_table

CLOSE_TIMEOUT = 10.0
"""Seconds that a connection may take to close once its client is done: it takes milliseconds."""
OF_DEMO = ("packet-socket", "namespace", "scapy", "relay")
"""The backends by which the demo is recorded: dumpcap and tcpdump would add nothing."""
PINGS_EVERY = 2.5
"""Messages between two pings of the demo: often enough to be seen, between the messages."""


def demo_server(delay: float) -> DemoServer:
    """Return the server of the demo, which pings so often that each stream shows some."""
    return DemoServer(delay=delay, ping_interval=delay * PINGS_EVERY)


class Recorded(NamedTuple):
    """What a recording came to: what the client received, and how many packets there were."""

    received: Received
    statistics: Statistics


def prepare(backend: str | None = None) -> str:
    """Make this process one that can record what goes on in it, and return by which backend.

    Without a packet socket it moves into a network namespace of its own, for good: all that it
    starts is in there with it. Where that is forbidden, there is the relay. ``backend`` is the
    name of the one to take. Raises CaptureNotPermitted if that does not work.
    """
    wanted = Wanted(Path(os.devnull), port=1, has_command=True)
    chosen = choose(wanted, backend, among=OF_DEMO)
    if chosen.name == "namespace":
        from capture.linux.spawn_child import Refused, keep_rights, make_namespace

        try:
            make_namespace()
            keep_rights()  # a server that makes a path of its own is another program
        except Refused as refusal:
            raise CaptureNotPermitted(str(refusal)) from refusal
    return chosen.name


def record(
    server: DemoServer, chosen: Scenario, path: Path | str, backend: str = "packet-socket"
) -> Recorded:
    """Record one scenario of a running server into a pcapng file, driven by its client.

    ``backend`` is the one that this process was prepared for. Raises what
    :class:`capture.Recorder` does, and CaptureError if a connection stays open.
    """
    port = server.raw_port if chosen.on == "raw" else server.port
    comment = f"{chosen.transport}, {chosen.name}: {chosen.summary}"
    with recorder_of(backend)(path, port=port, comment=comment, version=__version__) as recorder:
        url = server.url(chosen)
        if isinstance(recorder, Relay):
            url = url.replace(f":{port}/", f":{recorder.port}/", 1)
        received = drive(chosen, url)
        if not recorder.wait_closed(CLOSE_TIMEOUT):
            raise CaptureError(f"a connection was still open after {CLOSE_TIMEOUT:g} s")
    return Recorded(received, recorder.statistics)


def recorder_of(backend: str) -> Callable[..., Recording]:
    """Return what records by the backend that this process was prepared for."""
    if backend == "relay":
        return Relay
    if backend == "scapy":
        from capture.backends.scapy_recorder import ScapyRecorder

        return ScapyRecorder
    from capture import Recorder

    return Recorder


def record_scenario(
    transport: str, name: str, path: str, delay: float | None, backend: str = "packet-socket"
) -> Recorded:
    """Record one scenario of a server of its own; raises LookupError if there is none so named."""
    chosen = scenario(transport, name)
    with DemoServer() if delay is None else DemoServer(delay=delay) as server:
        return record(server, chosen, path, backend)


def drive(chosen: Scenario, url: str) -> Received:
    """Ask for a scenario as its client, to its end."""
    if chosen.transport == "websocket":
        return _converse(chosen, url)
    receive = receive_events if chosen.transport == "sse" else receive_chunked
    return receive(url, headers=chosen.headers)


def _converse(chosen: Scenario, url: str) -> Received:
    """Hold a WebSocket's conversation: the server's messages, then ours, each with its echo."""
    ours = [message.data for message in chosen.messages if message.sender == "client"]
    return receive_messages(
        url,
        expect=len(chosen.messages) - 2 * len(ours),
        send=ours,
        closes="server" if chosen.close is None else chosen.close.sender,
        headers=chosen.headers,
        compression=chosen.deflate,
    )


def run(transports: Sequence[Transport], delay: float, backend: str = "packet-socket") -> bool:
    """Serve, capture, decode and show each transport; return whether all ended as they should.

    Raises CaptureNotPermitted if packets cannot be recorded, and CaptureError if they are not
    all there.
    """
    results: list[str] = []
    clean = True
    with demo_server(delay) as server, TemporaryDirectory(prefix="wireproof-") as folder:
        for transport in transports:
            chosen = scenario(transport)
            path = Path(folder, f"{transport}.pcapng")
            _tell(f"recording {transport}: {chosen.summary} ...")
            received = record(server, chosen, path, backend).received
            click.secho(f"{transport}: {chosen.summary}\n", bold=True)
            results += show(path)
            if received.ended != "clean":
                clean = False
                results.append(f"the {transport} client failed: {received.error}")
    click.secho("What arrived", bold=True)
    click.echo("\n".join(results))
    return clean


def show(path: Path) -> list[str]:
    """Print the tables of a capture and return the lines of its summary."""
    table = open_table(path.name)
    summary = Summary()
    for decoded in decode(path):
        table.write([decoded])
        summary.add(decoded)
    table.close()
    return summary.lines()


def _tell(message: str) -> None:
    """Say on a terminal what takes a moment."""
    if sys.stderr.isatty():
        click.echo(message, err=True)
