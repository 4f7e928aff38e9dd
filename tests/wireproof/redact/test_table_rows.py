"""Rows of PostgreSQL: values of columns that name a secret."""

from __future__ import annotations

import pytest
from support.talk import Talk

from wireproof.redact.frames import FrameMasks
from wireproof.redact.logins import login_spans
from wireproof.redact.table_rows import TableRows

SECRET = b"Zq7vLw9xKt3nPb5s"
OTHER = b"just a plain text"


def message(kind: bytes, body: bytes) -> bytes:
    return kind + (len(body) + 4).to_bytes(4) + body


def columns(*names: bytes) -> bytes:
    described = b"".join(name + bytes(19) for name in names)
    return message(b"T", len(names).to_bytes(2) + described)


def row(*values: bytes | None) -> bytes:
    sized = [b"\xff" * 4 if one is None else len(one).to_bytes(4) + one for one in values]
    return message(b"D", len(values).to_bytes(2) + b"".join(sized))


READY = message(b"C", b"SELECT 1\x00") + message(b"Z", b"I")
ANSWERS = {
    "a row": columns(b"name", b"api_key") + row(OTHER, SECRET) + READY,
    "after null and empty values": columns(b"a", b"b", b"password")
    + row(None, b"", SECRET)
    + READY,
    "the second row": columns(b"password", b"name") + row(None, OTHER) + row(SECRET, OTHER) + READY,
    "after another table": columns(b"name") + row(OTHER) + READY + columns(b"token") + row(SECRET),
    "after what looks like one": b"T\x00\x00\x00\x20\x00\x01ab\x00" + columns(b"pwd") + row(SECRET),
    "after other bytes": b"R\x00\x00\x00\x08\x00\x00\x00\x00" + columns(b"secret") + row(SECRET),
}
WITHOUT = {
    "no secret": columns(b"name", b"public_key") + row(OTHER, OTHER) + READY,
    "short ones": columns(b"session_count", b"password") + row(b"12", b"t") + READY,
    "other rows": columns(b"password") + row(OTHER, OTHER) + READY,
    "what is no message": columns(b"password") + b"GET / HTTP/1.1\r\n\r\n" + row(OTHER),
    "what is no description": b"T\x00\x00\x00\x0c\x00\x02token\x00" + row(OTHER),
    "nothing": b"",
}


@pytest.mark.parametrize("size", [1, 3, 1_000])
@pytest.mark.parametrize("name", ANSWERS)
def test_values_of_columns_that_name_a_secret(name: str, size: int) -> None:
    data, rows = ANSWERS[name], TableRows()
    found = [
        span for at in range(0, len(data), size) for span in rows.feed(data[at : at + size], at)
    ]
    hidden = bytearray(data)
    for start, end in found:
        hidden[start:end] = b"*" * (end - start)
    assert hidden == data.replace(SECRET, b"*" * len(SECRET))


def test_a_value_of_any_size_is_masked_as_it_comes() -> None:
    secret = bytes(range(65, 91)) * 100_000
    data, rows = columns(b"name", b"api_key") + row(OTHER, secret) + row(OTHER, SECRET), TableRows()
    found: list[tuple[int, int]] = []
    for at in range(0, len(data), 1_400):
        found += rows.feed(data[at : at + 1_400], at)
        assert len(rows._held) < 100
    shown = bytearray(data)
    for start, end in found:
        shown[start:end] = bytes(end - start)
    assert shown == data.replace(secret, bytes(len(secret))).replace(SECRET, bytes(len(SECRET)))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_row_with_other_columns_is_passed_over(count: int) -> None:
    data = columns(b"name", b"api_key") + row(*[SECRET] * count) + row(OTHER, SECRET)
    for size in (1, len(data)):
        rows = TableRows()
        found = [
            span for at in range(0, len(data), size) for span in rows.feed(data[at : at + size], at)
        ]
        assert b"".join(data[start:end] for start, end in found) == SECRET
        assert found[-1][1] == len(data)


@pytest.mark.parametrize("name", WITHOUT)
def test_what_stays(name: str) -> None:
    data = WITHOUT[name]
    assert TableRows().feed(data, 0) == []
    for cut in range(len(data)):
        rows = TableRows()
        assert rows.feed(data[:cut], 0) + rows.feed(data[cut:], cut) == []


@pytest.mark.parametrize("size", [1, 7, 100])
def test_rows_are_masked_in_their_packets(size: int) -> None:
    talk = Talk(server_port=5_432).open()
    talk.client(message(b"Q", b"select * from users\x00"))
    for at in range(0, len(ANSWERS["a row"]), size):
        talk.server(ANSWERS["a row"][at : at + size])
    talk.close()
    masks = FrameMasks("all")
    masks.add(talk.tape.packets)
    masks.end()
    raw = b"".join(masks.masked(packet)[54:] for packet in talk.tape.packets)
    assert SECRET not in raw and OTHER in raw


def test_proofs_of_scram_are_logins() -> None:
    proof, server = b"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", b"6rriTRBi23WpRR/wtup+mMhUZUn="
    said = message(b"p", b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfux,p=" + proof)
    assert [said[a:b] for a, b in login_spans(said)] == [proof]
    final = b"R\x00\x00\x00\x28\x00\x00\x00\x0cv=" + server
    assert [final[a:b] for a, b in login_spans(final)] == [server]
