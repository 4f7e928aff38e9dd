"""Ordinary documents about secrets, which hold none: all of their bytes stay."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support.attack import request, response
from support.talk import Talk

from wireproof.redact.content import ContentFinder
from wireproof.redact.frames import FrameMasks
from wireproof.redact.secrets import mask_spans, merged

HERE = Path(__file__).with_name("ordinary")
ANSWER = (HERE / "answer.txt").read_text("ascii")
"""What a model says about tokens: prose, code in three languages, commands, YAML and a table."""
OPENAPI = (HERE / "openapi.json").read_text("ascii")
"""Of FastAPI, with a password flow, keys in three places, a cookie and models of all of them."""
DOCUMENTS = {
    "an answer": ANSWER,
    "an answer in JSON": json.dumps(
        {
            "choices": [{"message": {"role": "assistant", "content": ANSWER}}],
            "usage": {"prompt_tokens": 12, "completion_tokens": 1_234},
        }
    ),
    "OpenAPI": OPENAPI,
    "OpenAPI in one line": json.dumps(json.loads(OPENAPI)),
    "OpenAPI in a string": json.dumps({"document": json.dumps(json.loads(OPENAPI))}),
    "OpenAPI in an event": f"data: {json.dumps(json.loads(OPENAPI))}\n\n",
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_all_of_it_stays(name: str) -> None:
    text = DOCUMENTS[name]
    spans = merged(ContentFinder(is_event_stream=True).feed(text))
    assert [text[start:end] for start, end in spans] == []


TOKEN = re.compile(r" ?[A-Za-z]+|\d{1,3}|[^\sA-Za-z\d]+|\s+")
"""About as models cut what they write."""


@pytest.mark.parametrize("size", [1, 40, 100_000])
def test_all_of_an_answer_stays_that_comes_token_by_token(size: int) -> None:
    events = [
        f"data: {json.dumps({'choices': [{'delta': {'content': token}}]})}\n\n"
        for token in TOKEN.findall(ANSWER)
    ]
    finder = ContentFinder(is_event_stream=True)
    for at in range(0, len(events), size):
        pieces = events[at : at + size]
        text = "".join(pieces)
        assert [text[start:end] for start, end in merged(finder.feed(*pieces))] == []


def test_a_secret_in_it_does_not() -> None:
    text = ANSWER.replace("your-secret-key-here", "8c1f6a3e9b7d4025")
    spans = merged(ContentFinder(is_event_stream=True).feed(text))
    assert mask_spans(text, spans) == text.replace("8c1f6a3e9b7d4025", "*" * 16)


def test_no_frame_of_it_is_changed() -> None:
    talk = Talk().open()
    talk.client(request("/openapi.json"))
    fields = ("Content-Type: application/json", f"Content-Length: {len(OPENAPI)}")
    talk.server(response("200 OK", *fields) + OPENAPI.encode())
    talk.close()
    masks = FrameMasks("all")
    masks.add(talk.tape.packets)
    masks.end()
    assert masks.changed == set()
