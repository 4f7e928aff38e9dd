"""What the elements of exchanges say, as texts."""

from __future__ import annotations

import json

from support.talk import Talk

from parsers.records import Record
from wireproof.redact.said import MAX_SIDE_BY_SIDE, SaidTexts


def records(kind: str, *elements: str) -> list[Record]:
    talk = Talk().open()
    talk.client(b"GET /v1/x HTTP/1.1\r\nHost: e\r\n\r\n")
    body = b"".join(b"%x\r\n%b\r\n" % (len(one), one.encode()) for one in elements)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
    talk.server(head.encode() + body + b"0\r\n\r\n")
    talk.close()
    return talk.tape.records()


def event(data: object, name: str = "") -> str:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {data if isinstance(data, str) else json.dumps(data)}\n\n"


def delta(text: str, index: int = 0) -> dict[str, object]:
    choice = {"index": index, "delta": {"content": text}}
    return {"object": "chat.completion.chunk", "choices": [choice]}


def said(kind: str, *elements: str, reads_all: bool = False) -> dict[tuple[str, ...], str]:
    texts: dict[tuple[str, ...], str] = {}
    for one in SaidTexts(reads_all=reads_all).read(records(kind, *elements)):
        assert len(one.elements) == len(one.texts)
        texts[one.thread] = texts.get(one.thread, "") + "".join(one.texts)
    return texts


def test_a_model_says_one_text() -> None:
    events = [event(delta(text)) for text in ("You", " said", " so")]
    assert said("text/event-stream", *events, event("[DONE]")) == {("text", "", ""): "You said so"}


def test_choices_are_texts_of_their_own() -> None:
    events = [event(delta(text, index)) for text in "abc" for index in (0, 1)]
    found = said("text/event-stream", *events)
    assert found == {("text", "", ""): "abc", ("text", "", "1"): "abc"}


def test_what_no_dialect_knows_is_read_where_all_is() -> None:
    events = [event({"n": "x", "piece": "a\nb"}), event("plain"), event("text")]
    assert said("text/event-stream", *events) == {}
    assert said("text/event-stream", *events, reads_all=True) == {
        ("json", "n", ""): "x",
        ("json", "piece", ""): "a\nb",
        ("path", ".n", ""): "x",
        ("path", ".piece", ""): "a\nb",
        ("data", "", ""): "plaintext",
    }


def test_side_by_side_in_an_element_each_is_a_text_of_its_own() -> None:
    events = [
        event({"choices": [{"index": n, "delta": {"content": one}} for n, one in enumerate(both)]})
        for both in ("ax", "by", "cz")
    ]
    found = said("text/event-stream", *events, reads_all=True)
    assert found["path", ".choices.0.delta.content", ""] == "abc"
    assert found["path", ".choices.1.delta.content", ""] == "xyz"
    document = event([str(number) for number in range(MAX_SIDE_BY_SIDE + 1)])
    assert not any(
        kind == "path" for kind, *_ in said("text/event-stream", document, reads_all=True)
    )
    tokens = said("text/event-stream", event(["tok", "a"]), event(["tok", "b"]), reads_all=True)
    assert tokens["path", ".1", ""] == "ab"


def test_chunks_of_plain_text_are_elements() -> None:
    lines = [f"0:{json.dumps(text)}\n" for text in ("You", " said")]
    found = said("text/plain", *lines, 'd:{"finishReason":"stop"}\n')
    assert found[("text", "", "")] == "You said"


def test_what_came_before_its_head_is_read_too() -> None:
    late = [
        one for one in records("text/event-stream", event(delta("x"))) if one.record != "request"
    ]
    texts = SaidTexts(reads_all=False).read(late)
    assert [one.texts for one in texts] == [["x"]]
    without = [one for one in late if one.record == "sse_event"]
    assert [one.texts for one in SaidTexts(reads_all=False).read(without)] == [["x"]]
