"""SOCKS negotiations of both sides, and what follows them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.http1 import of
from support.talk import Side, Talk, kinds

from parsers.records import ConnectionRecord, DataRecord, DiagnosticRecord, Record, RequestRecord
from parsers.socks.negotiation import negotiated

GET = b"GET /it HTTP/1.1\r\nHost: example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
NAME = b"\x05\x01\x00\x03\x07example\x00\x50"
GRANTED = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
# (client's pieces, server's pieces, what is said, why it is refused)
DIALOGUES = [
    ([b"\x05\x01\x00", NAME], [b"\x05\x00", GRANTED], "SOCKS5 CONNECT example:80", None),
    (
        [b"\x05\x02\x00\x02", b"\x01\x04user\x04pass", b"\x05\x01\x00\x01\xc0\x00\x02\x01\x01\xbb"],
        [b"\x05\x02", b"\x01\x00", b"\x05\x00\x00\x04" + bytes(18)],
        "SOCKS5 CONNECT 192.0.2.1:443",
        None,
    ),
    (
        [b"\x05\x01\x00", b"\x05\x02\x00\x04" + bytes(15) + b"\x01\x00\x15"],
        [b"\x05\x00", b"\x05\x00\x00\x03\x01a\x00\x00"],
        "SOCKS5 BIND [::1]:21",
        None,
    ),
    ([b"\x04\x01\x00\x50\xc0\x00\x02\x01me\x00"], [b"\x00\x5a" + bytes(6)],
     "SOCKS4 CONNECT 192.0.2.1:80", None),
    ([b"\x04\x01\x00\x50\x00\x00\x00\x01\x00example\x00"], [b"\x00\x5a" + bytes(6)],
     "SOCKS4a CONNECT example:80", None),
    ([b"\x05\x01\x00", NAME], [b"\x05\x00", b"\x05\x05\x00\x01" + bytes(6)],
     "SOCKS5 CONNECT example:80", "connection refused"),
    ([b"\x05\x01\x00"], [b"\x05\xff"], "SOCKS5", "no acceptable method"),
    ([b"\x05\x01\x02", b"\x01\x01a\x01b"], [b"\x05\x02", b"\x01\x01"], "SOCKS5",
     "user name or password refused, status 1"),
    ([b"\x04\x01\x00\x50\xc0\x00\x02\x01\x00"], [b"\x00\x5b" + bytes(6)],
     "SOCKS4 CONNECT 192.0.2.1:80", "rejected or failed"),
]  # fmt: skip
MISSES = [
    (b"", b""),
    (b"\x05\x00", b"\x05\x00"),  # no methods
    (b"\x05\x01\x00" + NAME, b"\x05\x02" + GRANTED),  # a method that was not offered
    (b"\x05\x01\x00" + NAME, b"\x04\x00" + GRANTED),
    (b"\x05\x01\x01" + NAME, b"\x05\x01" + GRANTED),  # GSS-API: framed by the method
    (b"\x05\x01\x00\x05\x09\x00\x01" + bytes(6), b"\x05\x00" + GRANTED),
    (b"\x05\x01\x00\x05\x01\x00\x02" + bytes(6), b"\x05\x00" + GRANTED),
    (b"\x05\x01\x02\x02\x01a\x01b" + NAME, b"\x05\x02\x01\x00" + GRANTED),  # another login
    (b"\x05\x01\x00" + NAME, b"\x05\x00\x05\x00\x00\x02" + bytes(6)),  # no kind of address
    (b"\x04\x01\x00\x50\xc0\x00\x02\x01\x00", b"\x01\x5a" + bytes(6)),
    (b"\x04\x01\x00\x50\xc0\x00\x02\x01\x00", b"\x00\x00" + bytes(6)),
    (b"\x04\x09\x00\x50\xc0\x00\x02\x01\x00", b"\x00\x5a" + bytes(6)),
]


@pytest.mark.parametrize(("client", "server", "text", "refusal"), DIALOGUES)
def test_dialogues(
    client: list[bytes], server: list[bytes], text: str, refusal: str | None
) -> None:
    """Whole, with bytes after it, and not before the last byte of either side."""
    asked, answered = b"".join(client), b"".join(server)
    expected = (len(asked), len(answered), text, refusal)
    assert negotiated(asked, answered) == expected
    assert negotiated(asked + GET, answered + OK) == expected
    for end in range(len(asked)):
        assert negotiated(asked[:end], answered) is None
    for end in range(len(answered)):
        assert negotiated(asked, answered[:end]) is None


@pytest.mark.parametrize(("client", "server"), MISSES)
def test_near_misses(client: bytes, server: bytes) -> None:
    assert negotiated(client, server) is None
    assert not any(
        "socks" in kind for kind in kinds(said([client], [server], b"\x00\x01", b"\x02"))
    )


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_anything(client: bytes, server: bytes) -> None:
    found = negotiated(b"\x05" + client, b"\x05" + server)
    assert found is None or found.client <= len(client) + 1


# --- what follows ---


def said(
    client: list[bytes], server: list[bytes], asked: bytes, answered: bytes, step: int = 1 << 30
) -> list[Record]:
    talk = Talk().open()
    lines: list[tuple[Side, bytes]] = []
    for index in range(max(len(client), len(server))):
        lines += [("client", piece) for piece in client[index : index + 1]]
        lines += [("server", piece) for piece in server[index : index + 1]]
    for sender, data in [*lines, ("client", asked), ("server", answered)]:
        for start in range(0, len(data), step):
            talk.segment(sender, data[start : start + step])
    talk.close()
    return talk.tape.records()


@pytest.mark.parametrize(("client", "server", "text", "refusal"), DIALOGUES)
@pytest.mark.parametrize("step", [1 << 30, 1])
def test_http_through_a_proxy(
    client: list[bytes], server: list[bytes], text: str, refusal: str | None, step: int
) -> None:
    if refusal is not None:
        records = said(client, server, b"", b"", step)
        assert kinds(records) == ["socks-refused", "connection"]
        assert of(DiagnosticRecord, records)[0].summary.endswith(f"{text}: {refusal}")
        return
    records = said(client, server, GET, OK, step)
    (note,) = of(DiagnosticRecord, records)
    assert (note.code, note.sender) == ("socks-negotiated", "server")
    assert note.summary == f"a SOCKS proxy is a tunnel from here: {text}"
    (request,) = of(RequestRecord, records)
    assert (request.exchange, request.offset) == (0, len(b"".join(client)))
    assert of(ConnectionRecord, records)[0].protocol == "http/1.1"


def test_something_else_through_a_proxy() -> None:
    client, server, _, _ = DIALOGUES[0]
    records = said(client, server, b"SSH-2.0-a\r\n", b"SSH-2.0-b\r\n")
    assert [(row.sender, row.size, row.exchange) for row in of(DataRecord, records)] == [
        ("client", 11, 0), ("server", 11, 0),
    ]  # fmt: skip
    assert kinds(records).count("switch-not-decoded") == 2
    assert of(ConnectionRecord, records)[0].protocol == "socks"
