"""Legal bytes on which some clients stumble: which ones, and where that was reported.

Strategy: a family of clients is named by what it does, and by reports of it, never by a guess. The
rows are what was found in parsers of event streams in the wild; a stream that has none of it is
read alike by all of them.
"""

from __future__ import annotations

from typing import NamedTuple


class Hazard(NamedTuple):
    """Something that a client may be unprepared for."""

    seen: str
    """What is in the stream, after a count: ``2 times``."""
    who: str
    """Which clients stumble, and how."""
    reports: tuple[str, ...]
    """Where: issues of projects on GitHub."""
    remedy: str = ""
    """What a server can do about it."""
    reference: str = "WHATWG HTML section 9.2.6"
    """By which rule it is read as it should be."""


HAZARDS: dict[str, Hazard] = {
    "character-cut": Hazard(
        "the border of a chunk cuts a UTF-8 character",
        "clients that decode each chunk on its own show U+FFFD or fail",
        ("api7/aisix#111", "musistudio/claude-code-router#1672", "lobehub/lobehub#18640"),
        "write whole events",
    ),
    "crlf-cut": Hazard(
        "the CR and LF of a line end are in different chunks",
        "clients that end a line at each of them see an extra blank line, and split the event",
        ("ax-llm/ax#622", "rexxars/eventsource-parser#17", "EventSource/eventsource#326"),
        "write whole events, or end lines with LF only",
    ),
    "crlf-line-ends": Hazard(
        "lines end with CRLF or CR",
        'clients that split at "\\n\\n" never find the end of an event',
        (
            "hey-api/hey-api#3054",
            "modelcontextprotocol/php-sdk#401",
            "quern-dev/quern#119",
            "a2aproject/a2a-js#714",
        ),
        "end lines with LF only",
    ),
    "line-separator": Hazard(
        "data holds a character that Unicode calls a line end (U+2028, U+2029, NEL, VT, FF)",
        "clients that use a general line splitter, such as splitlines(), cut the line there",
        ("florimondmanca/httpx-sse#34", "fastapi/fastapi#15515", "mpetazzoni/sseclient#9"),
        "escape it in JSON, as json.dumps does by default",
    ),
    "no-charset": Hazard(
        "text is not ASCII, and Content-Type names no charset",
        "clients that fall back to Latin-1 show wrong characters, and take 0x85 for a line end",
        ("open-metadata/OpenMetadata#29531",),
        "declare charset=utf-8",
    ),
    "event-over-chunks": Hazard(
        "an event spans several chunks",
        "clients that take each chunk for an event fail to parse it",
        ("brave/brave-browser#52830", "zoedsoupe/anubis-mcp#232", "doctolib/neurow#60"),
        "write whole events",
    ),
    "multi-line-data": Hazard(
        "an event has several data lines",
        "clients that take each data line for a whole value fail to parse it",
        (),
        "write JSON on one line",
    ),
    "event-without-data": Hazard(
        "an event has a name and no data, which dispatches nothing",
        "clients that dispatch it anyway parse empty data",
        ("modelcontextprotocol/python-sdk#1670", "caozhiyuan/copilot-api#88"),
        "use a comment to keep the line open, or give it data",
    ),
    "empty-data": Hazard(
        "an event has empty data",
        "clients that parse all data as JSON fail",
        ("modelcontextprotocol/python-sdk#1670", "caozhiyuan/copilot-api#88"),
        "use a comment to keep the line open",
    ),
    "comment-after-id": Hazard(
        "comments keep the line open after an event with an ID",
        "clients that dispatch an event at each blank line once an ID is known parse empty data",
        ("openai/openai-python#2722", "theopenco/llmgateway#2334"),
        "send comments without a blank line after them, or no IDs",
    ),
    "no-final-blank-line": Hazard(
        "no blank line follows the last event",
        "clients disagree: the standard discards it, some SDKs dispatch it",
        ("openai/openai-node#2725", "openai/openai-go#697"),
        "end each event, the last one too, with a blank line",
    ),
    "coding-undeclared": Hazard(
        "the content is compressed, and no header declares it",
        "clients that go by Content-Encoding see compressed bytes instead of events",
        (),
        "send Content-Encoding with compressed content",
        "RFC 9110 section 8.4",
    ),
    "coding-members": Hazard(
        "the content is several compressed members, one after the other",
        "decoders that stop after the first member show nothing of the rest",
        (),
        "flush one compressor instead of starting a new one for each event",
        "RFC 1952 section 2.2",
    ),
    "chunked-twice": Hazard(
        "the content is chunked twice",
        "clients remove one of the codings, and see the other's chunk lines as content",
        (),
        "leave chunks to the server: let the application write content only",
        "RFC 9112 section 6.1",
    ),
    "chunks-undeclared": Hazard(
        "the content is chunked, and no header declares it",
        "clients see chunk lines as content",
        (),
        "leave chunks to the server, or send Transfer-Encoding with them",
        "RFC 9112 section 6.1",
    ),
    "surplus": Hazard(
        "bytes follow the complete response that belong to none",
        "clients that keep the connection take them for the next response, and fail",
        (),
        "let Content-Length count bytes, and send no content with HEAD, 204 and 304",
        "RFC 9112 section 6.3",
    ),
    "chunked-to-http10": Hazard(
        "chunks answer an HTTP/1.0 request",
        "HTTP/1.0 clients know no chunks, and see chunk lines as content",
        (),
        "end the body by closing, or ask in HTTP/1.1 (nginx: proxy_http_version 1.1)",
        "RFC 9112 section 6.1",
    ),
}
"""By their code."""
