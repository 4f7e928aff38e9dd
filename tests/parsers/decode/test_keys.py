"""Keys that come with a capture: in a file of their own, or in the capture, anywhere in it."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from support.capture_files import Blocks, Dribble
from support.talk import Talk, Tape
from support.tls_live import Dialogue, dialogue

from parsers.decode.capture import decode
from parsers.decode.ordered_capture import OrderedCapture
from parsers.decode.packets import PacketDecoder
from parsers.files.input import Readable
from parsers.records import Record, RequestRecord, TlsConnectionRecord
from parsers.tls.key_log import KeyLog

TLS_KEY_LOG, WIREGUARD = 0x544C534B, 0x57474B4C
"""Types of secrets in a pcapng file."""


@pytest.fixture(scope="module")
def spoken() -> Dialogue:
    request = b"GET /sealed HTTP/1.1\r\nHost: example\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    return dialogue([("client", request), ("server", answer)])


def shown(stream: Readable, keylog: KeyLog | None = None) -> tuple[str, list[str]]:
    """Whether it was decrypted, and what was asked for."""
    records: list[Record] = list(decode(stream, keylog=keylog))
    (tls,) = [one for one in records if isinstance(one, TlsConnectionRecord)]
    return tls.decrypted, [one.target for one in records if isinstance(one, RequestRecord)]


class Pipe(BytesIO):
    """A stream that cannot go back."""

    def tell(self) -> int:
        raise OSError("this is a pipe")


@pytest.mark.parametrize("place", ["before", "after", "none"])
@pytest.mark.parametrize("kind", [TLS_KEY_LOG, WIREGUARD])
@pytest.mark.parametrize("make", [BytesIO, Pipe, lambda data: Dribble(data, 97)])
def test_secrets_in_the_capture(spoken: Dialogue, place: str, kind: int, make) -> None:
    file, secrets = spoken.talk().tape.file(), Blocks().secrets(kind, spoken.keys)
    section = len(Blocks().section())
    made = {
        "before": file[:section] + secrets + file[section:],
        "after": file + secrets,
        "none": file,
    }[place]
    is_open = kind == TLS_KEY_LOG and place != "none"
    expected = ("yes", ["/sealed"]) if is_open else ("no", [])
    assert shown(make(made)) == expected


def test_secrets_are_not_looked_for_in_a_file_that_is_closed(spoken: Dialogue) -> None:
    """Whoever goes on with packets of the next file asks again."""
    stream = BytesIO(spoken.talk().tape.file())
    capture = OrderedCapture(stream)
    rows = list(capture)
    stream.close()
    decoder = PacketDecoder(keys=capture.keys)
    records = decoder.receive(rows) + decoder.finish()
    assert [one.decrypted for one in records if isinstance(one, TlsConnectionRecord)] == ["no"]


def test_keys_serve_every_connection(spoken: Dialogue) -> None:
    tape = Tape()
    for port in (40_000, 40_001):
        talk = Talk(tape, client_port=port).open()
        for sender, data in spoken.pieces:
            talk.segment(sender, data)
    file = tape.file() + Blocks().secrets(TLS_KEY_LOG, spoken.keys)
    records = list(decode(BytesIO(file)))
    assert [one.target for one in records if isinstance(one, RequestRecord)] == ["/sealed"] * 2


def test_a_file_of_keys(spoken: Dialogue, tmp_path: Path) -> None:
    path = tmp_path / "keys.log"
    path.write_bytes(spoken.keys)
    assert shown(BytesIO(spoken.talk().tape.file()), KeyLog.open(path)) == ("yes", ["/sealed"])
    path.write_bytes(b"# none\n")
    assert shown(BytesIO(spoken.talk().tape.file()), KeyLog.open(path)) == ("no", [])
