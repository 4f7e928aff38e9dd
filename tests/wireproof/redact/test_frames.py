"""Frames without their secrets: in every order, in every batch, with right checksums."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from support.attack import chunk, request, response
from support.frames import PSH, fragments, ipv4, ipv6, udp
from support.planted import in_headers, planted
from support.summed import all_with_checksums, with_checksums
from support.talk import Talk, Tape, decoded, without_packets

from parsers.files.packets import Packet
from parsers.records import Record
from wireproof.redact import Policy, Redactor
from wireproof.redact.frames import FrameMasks

TAPE, SECRETS = planted()


def masked(packets: Sequence[Packet], policy: Policy = "all", batch: int = 1 << 30) -> list[Packet]:
    masks = FrameMasks(policy)
    for start in range(0, len(packets), batch):
        masks.add(packets[start : start + batch])
    masks.end()
    return [(*packet[:4], masks.masked(packet)) for packet in packets]


def raw(packets: Sequence[Packet]) -> bytes:
    return b"".join(packet[4] for packet in packets)


@pytest.mark.parametrize("batch", [1, 3, 1 << 30])
def test_no_secret_is_left(batch: int) -> None:
    packets = masked(TAPE.packets, batch=batch)
    assert SECRETS.found_in(raw(packets)) == []
    # Unmasked, put together and inflated as far as it can be.
    assert SECRETS.found_in("\n".join(map(repr, decoded(packets)))) == []


def test_by_default_no_secret_of_a_known_field_is_left() -> None:
    left = SECRETS.found_in(raw(masked(TAPE.packets, "headers")))
    assert not set(left) & set(in_headers(SECRETS))
    assert masked(TAPE.packets, "none") == TAPE.packets


def test_the_rest_of_the_decode_stays() -> None:
    """Masking the packets and decoding them gives what masking the records does."""
    before = TAPE.records()
    after = decoded(masked(TAPE.packets))
    coded = {_exchange(record) for record in before if _is_coded(record)}
    found = [_plain(record) for record in after if _exchange(record) not in coded]
    redacted = map(Redactor("all").redact, before)
    wanted = [_plain(record) for record in redacted if _exchange(record) not in coded]
    assert found == wanted and len(found) > 200


def _exchange(record: Record) -> tuple[int | None, int | None]:
    return record.connection, getattr(record, "exchange", None)


def _is_coded(record: Record) -> bool:
    headers = getattr(record, "headers", [])
    return any(name in ("Content-Encoding", "Sec-WebSocket-Extensions") for name, _ in headers)


def _plain(record: Record) -> dict:
    return without_packets(record, "sha256")


def test_deflated_messages_still_inflate() -> None:
    records = decoded(masked(TAPE.packets))
    deflated = [r for r in records if r.record == "websocket_message" and r.compressed]
    assert len(deflated) == 5
    assert {message.data.strip("*") for message in deflated} == {""}
    damaged = [r.code for r in records if r.record == "diagnostic" and r.code.startswith("ws")]
    assert not damaged


def test_checksums_are_right_where_something_changed() -> None:
    packets = all_with_checksums(TAPE.packets)
    before = {packet[0]: packet[4] for packet in packets}
    changed = [packet for packet in masked(packets) if packet[4] != before[packet[0]]]
    assert len(changed) > 60
    for number, *_, data in changed:
        assert data == with_checksums(data)
        assert len(data) == len(before[number])


@pytest.mark.parametrize("wrong", [1, 0x100, 0x8001])
def test_a_segment_that_was_damaged_stays_so(wrong: int) -> None:
    """It is dropped, and sent again."""
    talk = Talk().open()
    talk.client(request("/", "X-Api-Key: abcdefgh"), b"GET")
    packets = all_with_checksums(talk.tape.packets)
    damaged = bytearray(packets[3][4])
    damaged[50:52] = ((int.from_bytes(damaged[50:52], "big") + wrong) % 0xFFFF).to_bytes(2, "big")
    packets = [*packets[:3], (4, *packets[3][1:4], bytes(damaged)), *packets[4:]]
    packets += [
        (n, *packet[1:]) for n, packet in enumerate(all_with_checksums(talk.tape.packets)[3:], 6)
    ]
    found = masked(packets)
    assert b"abcdefgh" not in raw(found)
    before, after = decoded(packets), decoded(found)
    assert "tcp-checksum-wrong" in [getattr(record, "code", None) for record in before]
    assert [record.record for record in after] == [record.record for record in before]


def test_segments_in_any_order_and_twice() -> None:
    """Handshakes first: of segments before them nobody knows where they belong."""
    tape, secrets = planted()
    numbers = Random(7)
    shuffled = list(tape.packets)
    for start in range(0, len(shuffled) - 8, 8):
        window = shuffled[start : start + 4]
        if all(packet[4][47] & 0x07 == 0 for packet in window):  # no FIN, SYN or RST
            numbers.shuffle(window)
            shuffled[start : start + 4] = window
    again = [packet for packet in shuffled for _ in range(1 + (numbers.random() < 0.3))]
    packets = [(n, *packet[1:]) for n, packet in enumerate(again, 1)]
    assert secrets.found_in(raw(masked(packets))) == []


def test_a_late_copy_of_a_closed_connection() -> None:
    tape, secrets = planted()
    late = [(len(tape.packets) + packet[0], *packet[1:]) for packet in tape.packets]
    left = secrets.found_in(raw(masked([*tape.packets, *late])))
    # By themselves halves of keys tell nothing, nor does what is under a mask or a coding.
    alone = ("cut at", "byte", "segments", "two ", "deltas", "masked", "deflate", "gzip", "cut in")
    assert [place for place in left if not any(word in place for word in alone)] == []


IN_PIECES = ("cut at", "byte", "segments", "two ", "deltas", "fragments", "cut in")


@pytest.mark.parametrize("seed", range(12))
def test_packets_that_are_lost_or_late_or_come_twice(seed: int) -> None:
    """Of a secret in pieces one that comes alone tells nothing; every other one is masked."""
    numbers = Random(seed)
    kept = [packet for packet in TAPE.packets if numbers.random() > 0.04]
    kept = [packet for packet in kept for _ in range(1 + (numbers.random() < 0.1))]
    for _ in range(20):
        at = numbers.randrange(len(kept) - 1)
        kept[at], kept[at + 1] = kept[at + 1], kept[at]
    packets = masked([(n, *packet[1:]) for n, packet in enumerate(kept, 1)])
    seen = raw(packets).decode("latin-1") + repr(decoded(packets))
    left = [place for secret, place in SECRETS.made.items() if secret in seen]
    assert [place for place in left if not any(word in place for word in IN_PIECES)] == []


def test_a_whole_connection_without_its_head() -> None:
    """Nothing says that it is chunked, and a key in two chunks is found all the same."""
    talk = Talk().midstream()
    talk.server(chunk(b"before sk-p"), chunk(b"roj-abcdefghijklmnop after"), chunk(b""))
    assert b"abcdef" not in raw(masked(talk.tape.packets))


@pytest.mark.parametrize("ip, size", [(ipv4, 20), (ipv6, 40)])
def test_datagrams_are_looked_at_too(ip, size: int) -> None:
    tape = Tape()
    tape.add(with_checksums(ip(udp(5000, 5001, b"api_key=abcdefgh"), 17)))
    ((*_, data),) = masked(tape.packets)
    assert b"api_key=********" in data and data == with_checksums(data)


def test_what_waits_is_bounded() -> None:
    masks = FrameMasks("all")
    for packet in TAPE.packets:
        masks.add([packet])
    masks.end()
    assert masks.pairs == {} and masks._datagrams == {}


@pytest.mark.parametrize(("policy", "kept"), [("headers", 0), ("all", 1)])
def test_what_may_be_redis_waits_only_for_who_reads_it(policy: Policy, kept: int) -> None:
    tape = Tape()
    talk = Talk(tape).open()
    talk.client(b"*" + b"x" * 100)
    masks = FrameMasks(policy)
    masks.add(tape.packets)
    (pair,) = masks.pairs.values()
    pair.streams[0].hand_on(is_end=True)
    assert len(pair.streams[0].resp) == kept


SECRET = b"Authorization: Bearer 1234567890abcdefSECRETfedcba0987654321"


def test_a_secret_in_two_fragments() -> None:
    talk = Talk().open()
    frame = talk.frame("client", b"GET / HTTP/1.1\r\n" + SECRET + b"\r\n\r\n")
    for part in fragments(frame, 72):
        talk.tape.add(part)
    found = masked(talk.tape.packets)
    payload = b"".join(packet[4][34:] for packet in found[3:])
    assert payload[20:] == frame[54:].replace(SECRET[22:], b"*" * len(SECRET[22:]))


def test_what_no_stream_takes_is_looked_at_by_itself() -> None:
    after_fin = Talk().open()
    after_fin.client(request("/"))
    after_fin.fin("client")
    after_fin.client(SECRET)
    no_ack = Talk().open()
    no_ack.segment("client", SECRET, flags=PSH)
    for talk in (after_fin, no_ack):
        found = masked(talk.tape.packets)
        assert found[-1][4].endswith(b"Bearer " + b"*" * 38)
        assert found[:-1] == talk.tape.packets[:-1]


def test_what_a_cut_packet_lacks_is_written_nowhere() -> None:
    """Not over the bytes that it has either: the last line of a head may be a secret's."""
    talk = Talk().open()
    talk.client(request("/v1/models"))
    talk.server(response("200 OK", "Server: nginx", "Content-Type: text/plain"))
    packets = talk.tape.packets
    for size in range(54, max(map(len, (packet[4] for packet in packets)))):
        cut = [(*packet[:4], packet[4][:size]) for packet in packets]
        assert masked(cut) == cut, size
