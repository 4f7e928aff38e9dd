"""What ``wireproof demo --http2`` and ``--tls`` do: serve, record and explain what HTTP/2 does.

Strategy: hypercorn serves in a process of its own, a client that is told how to behave asks, and
what is recorded holds the server's secrets if there is TLS. It is explained as any capture is;
nothing that is printed is prepared.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path
from ssl import SSLContext
from tempfile import TemporaryDirectory

import click
from capture import CaptureError
from capture.clients.http2 import Http2Client, ReceivedStream
from capture.key_log import KeyLog
from capture.secrets_first import put_secrets_first
from parsers.records import BodyRecord, Http2FrameRecord, Record
from server.http2.app import MESSAGES
from server.http2.process import Certificate, Http2Server
from server.http2.scenarios import Http2Scenario
from websockets.frames import Close, Opcode

from .. import __version__, decode
from ..analysis.judges import explain
from ..analysis.listing import listed
from ..analysis.outcomes import Outcome
from ..certificates import Certificates, certificates
from ..views.kinds import open_table
from ..views.verdicts import FORMATS
from .demo import CLOSE_TIMEOUT, recorder_of

HELLO = b"\x0a\x02hi"
"""A message of protobuf: field 1 is a text."""
QUESTION = b"are you there?"
CLOSE = Close(1000, "").serialize()
LAST = MESSAGES[-1].encode()
"""Of the server, before ours."""
MAX_ROWS = 60
"""Records of which the table is printed too."""


@dataclass(frozen=True, slots=True)
class Served:
    """How a scenario is served."""

    tls: bool = False
    http2: bool = True


def run(
    scenarios: Sequence[Http2Scenario], served: Served, backend: str, keep: Path | None = None
) -> list[str]:
    """Serve, record and show each scenario; return of each that shows otherwise what was found.

    ``keep`` is a folder for the recordings. Raises NoCertificates, ServerStartError, and what
    recording raises.
    """
    wrong: list[str] = []
    with TemporaryDirectory(prefix="wireproof-") as temporary:
        for scenario in scenarios:
            path = Path(keep or temporary, f"{scenario.name}.pcapng")
            click.secho(f"{scenario.name}: {scenario.summary}\n", bold=True)
            record(scenario, served, path, backend)
            records = list(decode(path))
            _print(path, records, with_table=len(records) <= MAX_ROWS)
            click.echo()
            if not shows(scenario, records):
                wrong.append(f"{scenario.name}: no {scenario.shows} was found")
    return wrong


def record(
    scenario: Http2Scenario,
    served: Served,
    path: Path,
    backend: str,
    keys: Path | None = None,
) -> list[ReceivedStream]:
    """Serve a scenario, ask for it and record it; return what its client received.

    The secrets are in the recording, or in the file ``keys``. Raises as :func:`run` does, and
    CaptureError if the connection stays open.
    """
    key_log = KeyLog()
    with ExitStack() as stack:
        made = certificates() if served.tls else None
        environment: dict[str, str] = {}
        if made is not None:
            stack.enter_context(key_log)
            environment = key_log.environment({})
        server = stack.enter_context(_server(scenario, served, made, environment))
        comment = f"{scenario.name}: {scenario.summary}"
        recorder = stack.enter_context(
            recorder_of(backend)(
                path,
                port=server.port,
                comment=comment,
                version=__version__,
                secrets=key_log.take if keys is None else bytes,
            )
        )
        received = _drive(scenario, served, getattr(recorder, "port", server.port), made)
        if not recorder.wait_closed(CLOSE_TIMEOUT):
            raise CaptureError(f"a connection was still open after {CLOSE_TIMEOUT:g} s")
    if keys is None:
        put_secrets_first(path)
    else:
        keys.write_bytes(key_log.take())
    return received


def shows(scenario: Http2Scenario, records: Iterable[Record]) -> bool:
    """Whether a recording holds what its scenario is about."""
    for record in records:
        found: list[str] = [record.record]
        if isinstance(record, BodyRecord):
            found.append(record.ended_by)
        elif isinstance(record, Http2FrameRecord):
            found.append(record.type)
        if scenario.shows in found:
            return True
    return False


def _server(
    scenario: Http2Scenario, served: Served, made: Certificates | None, environment: dict[str, str]
) -> Http2Server:
    tls = None if made is None else Certificate(str(made.certificate), str(made.key))
    return Http2Server(scenario, tls=tls, http2=served.http2, environment=environment)


def _drive(
    scenario: Http2Scenario, served: Served, port: int, made: Certificates | None
) -> list[ReceivedStream]:
    """Ask as a scenario's client does, to the end."""
    context = None if made is None else made.client_context()
    if not served.http2 and context is not None:
        return [_ask_by_http1(scenario.path, port, context)]
    client = Http2Client(
        "127.0.0.1",
        port,
        tls=context,
        window_held=scenario.window_held,
        cancel_after=scenario.cancel_after,
    )
    if scenario.kind == "websocket":
        _talk(client, scenario.path)
    elif scenario.kind == "grpc":
        fields = ("content-type", "application/grpc"), ("te", "trailers")
        client.request(scenario.path, *fields, body=b"\0" + len(HELLO).to_bytes(4) + HELLO)
    else:
        for _ in range(scenario.streams):
            client.request(scenario.path)
        if scenario.one_more_after is not None:
            least = scenario.one_more_after
            client.read(until=lambda one: len(one.content) >= least)
            client.request(scenario.path)
    if scenario.kind != "websocket":
        client.read()
    client.close()
    return list(client.streams.values())


def _ask_by_http1(path: str, port: int, context: SSLContext) -> ReceivedStream:
    """Ask without HTTP/2, and return the answer as one of a stream."""
    connection = HTTPSConnection("127.0.0.1", port, context=context)
    connection.request("GET", path, headers={"Connection": "close"})
    answer = connection.getresponse()
    return ReceivedStream(0, answer.status, answer.read(), ended="end-stream")


def _talk(client: Http2Client, path: str) -> None:
    """Hold a WebSocket's conversation: the server's messages, one of ours, and the close."""
    stream_id = client.websocket(path)
    client.read(until=lambda one: LAST in one.content)
    client.send_frame(stream_id, Opcode.TEXT, QUESTION)
    client.send_frame(stream_id, Opcode.CLOSE, CLOSE, is_last=True)
    client.read(until=lambda one: one.content.endswith(CLOSE))  # hypercorn ends no such stream


def _print(path: Path, records: Sequence[Record], *, with_table: bool) -> None:
    """Print what is said of the exchanges of a recording, below its table."""
    if with_table:
        table = open_table(path.name)
        table.write(records)
        table.close()
    view = FORMATS["table"](sys.stdout)
    for found in explain(records):
        view.add(Outcome(listed(found), found.verdicts), [])
