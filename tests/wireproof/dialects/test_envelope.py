"""An envelope gives what reading gives, and nothing where it does not know that."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.dialects import exchange
from support.handmade import Wire

from wireproof.dialects.anthropic import Anthropic
from wireproof.dialects.dialect import Opening, TextDialect
from wireproof.dialects.envelope import MAX_LEARNT, Envelope
from wireproof.dialects.openai_chat import OpenAIChat
from wireproof.dialects.payload import Payload

CHAT = '{"id": "c-1", "choices": [{"index": 0, "delta": {"content": %s}, "finish_reason": null}]}'
OLDER = '{"id": "c-1", "choices": [{"text": %s}], "object": "text_completion"}'
DELTA = '{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": %s}}'
SPOKEN: tuple[tuple[type[TextDialect], str], ...] = (
    *((OpenAIChat, CHAT), (OpenAIChat, OLDER)),
    (Anthropic, DELTA),
)
WORDS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(['"', "\\", "\n", "\x00", "\u2028", "", "é", "日本", "🙂", "index", "c-1"]),
)


def dialect(kind: type[TextDialect], text: str) -> TextDialect:
    return kind(Opening(exchange(Wire()), Wire().event(("data", text))))


@pytest.mark.parametrize(("kind", "form"), SPOKEN)
@given(
    first=WORDS,
    words=st.lists(WORDS, min_size=1, max_size=6),
    is_ascii=st.booleans(),
    cut=st.one_of(st.none(), st.integers(0, 40)),
)
@example(first="index", words=["a", "b"], is_ascii=True, cut=None)
@example(first=" to", words=[' "quoted"', "a"], is_ascii=False, cut=None)
def test_texts_are_what_reading_says(
    kind: type[TextDialect],
    form: str,
    first: str,
    words: list[str],
    is_ascii: bool,
    cut: int | None,
) -> None:
    opening, *elements = [
        form % json.dumps(word, ensure_ascii=is_ascii) for word in (first, *words)
    ]
    if cut is not None:
        elements[0] = elements[0][:-cut] if cut else elements[0] + " "
    spoken, other = dialect(kind, opening), dialect(kind, opening)
    assert spoken.envelope is not None
    spoken.envelope.learn(opening, spoken.read_text(opening))
    texts = spoken.envelope.texts(elements)
    if texts is not None:
        assert [Payload("text", one) for one in texts] == list(map(other.read_text, elements))


@pytest.mark.parametrize(("kind", "form"), SPOKEN)
def test_what_is_usual_is_known(kind: type[TextDialect], form: str) -> None:
    spoken = dialect(kind, form % '"Hello"')
    envelope = spoken.envelope
    assert envelope is not None
    assert envelope.texts([form % '" there"']) is None
    envelope.learn(form % '"Hello"', spoken.read_text(form % '"Hello"'))
    assert envelope.texts([form % '" there"', form % '"日本 🙂"']) == [" there", "日本 🙂"]
    for other in ('""', '"a\\n"', '"a", "x": "b"', "null"):
        assert envelope.texts([form % '"a"', form % other]) is None
    assert envelope.texts([form % '"a"', None]) is None
    assert envelope.texts([form % '"a"' + " "]) is None


def test_a_copy_of_the_text_is_not_taken_for_it() -> None:
    form = '{"user": %s, "choices": [{"index": 0, "delta": {"content": %s}}]}'
    spoken = dialect(OpenAIChat, form % ('"same"', '"same"'))
    assert spoken.envelope is not None
    spoken.envelope.learn(form % ('"same"', '"same"'), Payload("text", "same"))
    assert spoken.envelope.texts([form % ('"other"', '"same"')]) is None


def test_what_is_never_the_same_is_given_up() -> None:
    asked: list[str] = []

    def read(text: str) -> Payload:
        asked.append(text)
        return Payload("text", json.loads(text)["a"])

    envelope = Envelope(read)
    for number in range(2 * MAX_LEARNT):
        text = f'{{"n": {number}, "a": "x"}}'
        envelope.learn(text, read(text))
        assert envelope.texts(['{"n": -1, "a": "x"}']) is None
    assert len(asked) == 2 * MAX_LEARNT + 2 * MAX_LEARNT
