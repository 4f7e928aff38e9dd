"""What commands make of HTTP/3: the same as of HTTP/1.1, or a plain word that they do not."""

from __future__ import annotations

import json
import random
from hashlib import sha256
from pathlib import Path

import pytest
from support.quic import Known

from parsers import OrderedCapture, Packet, PacketDecoder
from parsers.http1.chunked import Data
from parsers.http3.elements import HEADERS, DataFrame, Frame
from parsers.http3.frames import FrameDecoder
from parsers.records import ConnectionRecord
from wireproof.cli import main

CAPTURE = Path(__file__).parents[2] / "fixtures" / "quic" / "h3_keyupdate.pcap"
KEYS = ["--keylog", str(CAPTURE.with_suffix(".keys"))]


def said(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    out, err = capfd.readouterr()
    return int(ended.value.code or 0), out, err


def test_ls_and_explain(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capfd, "ls", str(CAPTURE), *KEYS)
    assert code == 0
    assert "GET /sse" in out and "streamed, whole" in out
    code, out, _ = said(capfd, "explain", str(CAPTURE), *KEYS)
    assert code == 0
    assert "streamed, whole: 7 events" in out


def test_the_table(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capfd, "decode", str(CAPTURE), "--format", "table", *KEYS)
    assert code == 0
    for text in (
        "GET /sse HTTP/3", "HTTP/3 200", "body complete (FIN): 262 bytes", "QUIC v1; 2 key updates",
        "TLS 1.3, localhost, h3 chosen", "closed by the client (CONNECTION_CLOSE)",
    ):  # fmt: skip
        assert text in out


@pytest.mark.parametrize("view", ["wireshark", "devtools"])
def test_other_views(capfd: pytest.CaptureFixture[str], view: str) -> None:
    code, out, _ = said(capfd, "decode", str(CAPTURE), "--view", view, *KEYS)
    assert (code, "/sse" in out) == (0, True)


def test_an_exchange_is_chosen_by_the_number_of_its_connection(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = said(capfd, "ls", str(CAPTURE), "--exchange", "1000000000/0", *KEYS)
    assert (code, "GET /sse" in out) == (0, True)


def test_without_keys(capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capfd, "ls", str(CAPTURE))
    assert "1 QUIC connection not decrypted: give its keys with --keylog" in err
    assert code == 0


def test_jobs(capfd: pytest.CaptureFixture[str]) -> None:
    line = ["decode", str(CAPTURE), "--format", "ndjson", *KEYS]
    assert said(capfd, *line, "--jobs", "2")[1] == said(capfd, *line)[1]


def test_what_is_not_followed(capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capfd, "follow", str(CAPTURE), "--connection", "1000000000", *KEYS)
    assert code == 2
    assert "this is QUIC: --layer quic follows the stream of an exchange" in err


def test_the_content_of_an_exchange_is_followed(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """To the byte what the client received."""
    line = ["follow", str(CAPTURE), *KEYS, "--exchange", "1000000000/0", "--sender", "server"]
    with pytest.raises(SystemExit) as ended:
        main([*line, "--layer", "body", "--raw"])
    assert not ended.value.code
    (stream,) = json.loads(CAPTURE.with_suffix(".truth.json").read_text())["streams"]
    found = capfdbinary.readouterr().out
    assert (len(found), sha256(found).hexdigest()) == (stream["bytes"], stream["sha256"])


def test_a_stream_is_followed(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Frame by frame as HTTP/3 has them: HEADERS, then DATA with what the client received."""
    line = ["follow", str(CAPTURE), *KEYS, "--exchange", "1000000000/0", "--sender", "server"]
    with pytest.raises(SystemExit) as ended:
        main([*line, "--layer", "quic", "--raw"])
    assert not ended.value.code
    found = capfdbinary.readouterr().out
    (stream,) = json.loads(CAPTURE.with_suffix(".truth.json").read_text())["streams"]
    frames = [one for one in FrameDecoder().receive_data(found) if not isinstance(one, Data)]
    assert isinstance(frames[0], Frame) and frames[0].kind == HEADERS
    content = b"".join(one.content or b"" for one in frames if isinstance(one, DataFrame))
    assert sha256(content).hexdigest() == stream["sha256"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--connection", "1000000000"], "QUIC streams are followed one at a time"),
        (["--exchange", "1000000000/7"], "connection 1000000000 has no exchange 7"),
        (["--exchange", "1000000005/0"], "is not QUIC that can be decrypted"),
    ],
)
def test_streams_that_cannot_be_followed(
    words: list[str], reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    code, _, err = said(capfd, "follow", str(CAPTURE), *KEYS, "--layer", "quic", *words)
    assert code == 2
    assert reason in err


def test_damaged_quic_ends_no_decoding() -> None:
    """200 mutants, always the same: bits, bytes, cuts and copies, with the keys and without."""
    with CAPTURE.open("rb") as source:
        packets = [one for batch in OrderedCapture(source).batches(1 << 10) for one in batch]
    draws = random.Random(13)
    text = CAPTURE.with_suffix(".keys").read_bytes()
    for number in range(200):
        mutant = [mutated(packet, draws) for packet in packets if draws.random() > 0.05]
        decoder = PacketDecoder(keys=Known(text) if number % 4 else None, shows_records=True)
        records = decoder.receive(mutant) + decoder.finish()
        assert sum(isinstance(record, ConnectionRecord) for record in records) >= 1
        for record in records:
            assert record.last_packet <= mutant[-1][0], (number, record)


def mutated(packet: Packet, draws: random.Random) -> Packet:
    """A packet whose UDP payload is damaged, one in four times."""
    data, start = bytearray(packet[4]), 42
    kind = draws.randrange(16)
    if kind == 0:
        data[draws.randrange(start, len(data))] ^= 1 << draws.randrange(8)
    elif kind == 1:
        at = draws.randrange(start, len(data))
        data[at : at + 8] = draws.randbytes(8)
    elif kind == 2:
        del data[draws.randrange(start, len(data)) :]
    elif kind == 3:
        data[start:] = data[start:] + data[start:]
    return (*packet[:3], len(data), bytes(data))
