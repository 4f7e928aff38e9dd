"""Who listens to a stream gets all of it, and changes nothing of what is decoded."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.tls.record import STORED, Stored
from parsers.decode.ordered_capture import OrderedCapture
from parsers.decode.packets import BATCH, PacketDecoder
from parsers.decode.taps import Listener, Streams, Tapped, listened
from parsers.provenance import Completion, Ending
from parsers.records import Record
from parsers.tls.key_log import KeyLog

ENCRYPTED = [one for one in STORED if one.served.tls]


class Ear:
    """Keeps what it hears."""

    open_offsets: tuple[int, ...] = ()

    def __init__(self) -> None:
        self.heard = b""
        self.endings: list[Ending] = []

    def receive_data(self, data: bytes) -> list[Record]:
        self.heard += data
        return []

    def receive_gap(self, length: int) -> list[Record]:
        self.heard += bytes(length)
        return []

    def receive_fault(self, fault: object, shown: Completion) -> list[Record]:
        return []

    def receive_eof(self, ending: Ending) -> list[Record]:
        self.endings.append(ending)
        return []


def decoded(path: Path, keys: Path, batch: int, ears: tuple[Ear, Ear] | None) -> list[Record]:
    """Decode a capture whose TLS the ears listen to."""
    asked: list[int] = []

    def tap(number: int, streams: Streams) -> tuple[Listener, Listener]:
        assert [stream.layer for stream in streams] == ["tls", "tls"]
        asked.append(number)
        return (None, None) if ears is None else ears

    with path.open("rb") as stream:
        capture = OrderedCapture(stream, keylog=KeyLog.open(keys))
        decoder = PacketDecoder(keys=capture.keys, tls_tap=tap)
        records = [one for packets in capture.batches(batch) for one in decoder.receive(packets)]
        records += decoder.finish()
    assert asked == [0]
    return records


@pytest.mark.parametrize("batch", [1, BATCH])
@pytest.mark.parametrize("one", ENCRYPTED, ids=[one.name for one in ENCRYPTED])
def test_what_tls_carries_is_heard_and_decoded_alike(one: Stored, batch: int) -> None:
    ears = Ear(), Ear()
    heard = decoded(one.path, one.keys, batch, ears)
    assert heard == decoded(one.path, one.keys, batch, None)
    begins = b"PRI * HTTP/2.0" if one.served.http2 else b"GET /sse HTTP/1.1"
    assert ears[0].heard.startswith(begins)
    assert all(ear.heard and len(ear.endings) == 1 for ear in ears)


def test_nobody_listens_and_nothing_lies_between() -> None:
    streams: Streams = (object(), object())  # type: ignore[assignment]
    assert listened(streams, (None, None)) is streams
    assert not isinstance(streams[0], Tapped)
