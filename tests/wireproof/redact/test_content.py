"""Secrets that go on in the next event, or in the next value of a key of JSON."""

from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wireproof.redact.base64_runs import Base64Runs
from wireproof.redact.content import ContentFinder, EventLines, Part
from wireproof.redact.encoded_text import EncodedText
from wireproof.redact.json_strings import MAX_KEYS, JsonStrings
from wireproof.redact.patterns import USUAL
from wireproof.redact.secrets import (
    Finder,
    find,
    mask_spans,
)
from wireproof.redact.wide_runs import WideRuns

KEY = "sk-proj-abcdefghijklmnop"


def masked(pieces: list[str], *, is_event_stream: bool) -> str:
    finder = ContentFinder(is_event_stream=is_event_stream)
    return "".join(mask_spans(piece, finder.feed(piece)) for piece in pieces)


def every_cut(text: str) -> list[list[str]]:
    return [[text[:cut], text[cut:]] for cut in range(len(text))] + [list(text)]


EVENTS = f"data: my {KEY[:9]}\n\nid: 7\ndata:{KEY[9:15]}\r\n\r\ndata: {KEY[15:]}\n\ndata: (end)\n\n"


def test_a_key_in_three_events_is_masked_in_each() -> None:
    for pieces in every_cut(EVENTS):
        found = masked(pieces, is_event_stream=True)
        assert KEY[9:15] not in found and KEY[15:] not in found, pieces
        assert found.endswith("data: (end)\n\n") and "id: 7" in found


def test_other_content_has_no_events() -> None:
    assert KEY[9:15] in masked([EVENTS], is_event_stream=False)


TOKENS = [KEY[:7], KEY[7:12], KEY[12:18], KEY[18:]]
DELTAS = "".join(f'{{"i": {n}, "delta": {{"content": "{t}"}}}}\n' for n, t in enumerate(TOKENS))


@pytest.mark.parametrize("is_event_stream", [False, True])
def test_a_key_that_a_model_writes_token_by_token(is_event_stream: bool) -> None:
    text = DELTAS.replace('{"i"', 'data: {"i"') if is_event_stream else DELTAS
    text += '{"i": 9, "delta": {"content": " and text"}}\n'
    for pieces in every_cut(text):
        found = masked(pieces, is_event_stream=is_event_stream)
        assert not any(token in found for token in TOKENS), pieces
        assert '" and text"' in found and '"content": "' in found


def test_values_of_other_keys_do_not_go_on_in_one_another() -> None:
    text = '{"a": "sk-ab", "b": "cdefghijklmnop", "a": " y"}'
    assert masked([text], is_event_stream=False) == text
    assert masked([text[:20], text[20:]], is_event_stream=False) == text.replace("sk-ab", "*****")


def test_escapes_in_strings() -> None:
    text = '{"a": "q\\"sk-abcdefgh", "a": "ijklmnop\\\\", "b": "open"}'
    for pieces in every_cut(text):
        found = masked(pieces, is_event_stream=False)
        assert "ijklmnop" not in found and '"open"' in found, pieces


def test_a_string_ends_with_its_line() -> None:
    finder = JsonStrings()
    assert finder.feed('say "hi\n{"a": "sk-abcdefgh"}\n{"a": "ijklmnop') == [(15, 26), (36, 44)]


def test_keys_are_bounded() -> None:
    finder = JsonStrings()
    for number in range(3 * MAX_KEYS):
        finder.feed(f'{{"{number}": "text"}}')
    assert len(finder._finders) == MAX_KEYS


# What strings, lines, values and secrets begin and end with, and what is like it.
PARTS = ['"', '\\"', "\\", ":", ": ", '": "', '{"a": "', '", "b": "', "data: ", "data:", "data"]
PARTS += ["\n", "\r\n", "\r", "\n\n", " ", "text", "é", "sk-", KEY, "sk-ab", "cdefghijklmnop"]
PARTS += ["c2stcHJvai1hYmNkZWZnaGlqa2xtbm9w", "eyJhIjoi", "InNrLWFi", "+/-_", "="]
PARTS += [
    "token",
    'token": "',
    "password=",
    "hunter2",
    "Bearer ",
    "key: ",
    "://u:pw@",
    "-----BEGIN ",
]
PARTS += ["%61", "%", "%3", "&quot;", "&", "&#3", "p\0a\0s\0s\0", "=\0", "\0", "w\0o\0r\0d\0"]
PARTS += [
    '{"name": "',
    'password", "',
    'value": "',
    'k": "',
    '", "v": "',
    'kind": "Secret", "data": {',
]
PARTS += [
    "ENV API_KEY ",
    "basic ",
    "$6$abcd$",
    "auth=('a', '",
    "setuser a >",
    " is ",
    "- ",
    "|",
    "{",
    "[",
]
PIECES = st.lists(st.lists(st.sampled_from(PARTS), max_size=6).map("".join), max_size=5)


@given(st.lists(PIECES, max_size=5), st.booleans())
@example([['{"a": "sk-ab"}\n'], ['{"a": "cdefghijklmnop"}\n', "data: x\n"]], True)
@example([['"a\\\n', '"b": "sk-ab"']], False)
@example([["", '": "'], ['x": "y"', '"z']], False)
def test_what_is_skimmed_is_as_what_is_read(turns: list[list[str]], is_stream: bool) -> None:
    finder = ContentFinder(is_event_stream=is_stream)
    textbook = [part.__class__() for part in finder.parts]
    for text in map("".join, turns):
        expected = [part.feed(text) for part in textbook]
        found = [part.feed_fast(text) for part in finder.parts]
        assert sorted(chain.from_iterable(found)) == sorted(chain.from_iterable(expected))
        assert list(map(state, finder.parts)) == list(map(state, textbook))


def state(part: Part) -> list[object]:
    """All that a part remembers; of a string that has ended what told its key is not needed."""
    if isinstance(part, Finder):
        return [part._context]
    if isinstance(part, Base64Runs):
        inner = [*state(part._finder), *state(part._json)]
        run = [part._is_text, part._is_secret, part._rest] if part._is_open else []
        return [part._tail, part._is_open, *run, *inner]
    if isinstance(part, WideRuns):
        inner = [*state(part._finder), *state(part._json)]
        return [part._tail, part._is_open, part._is_open and part._is_secret, *inner]
    if isinstance(part, EncodedText):
        return [part._before, part._tail, part._last, part._is_encoded, *state(part._finder)]
    if isinstance(part, EventLines):
        is_first = part._ends in ("", "\n", "\r", "\r\n")
        contexts = [part._data._context, part._lines._context]
        return [*contexts, part._head, part._is_data, part._has_data, is_first]
    found: list[object] = [(key, finder._context) for key, finder in part._finders.items()]
    text = part._text if part._is_inside else ""
    return [*found, part._is_inside, part._is_escaped, part._is_value, part._key, text]


@given(st.lists(st.sampled_from(PARTS), max_size=12).map("".join))
def test_where_nothing_is_likely_nothing_is_found(text: str) -> None:
    if not USUAL.may_hold_secret(text):
        assert find(text) == []


def test_what_begins_a_secret_is_possible() -> None:
    for begins, pattern, *_ in USUAL.triggers:
        name = begins.decode()
        for text in (name, name.upper(), f"{name}={KEY}", f"{name} {KEY}", f"{name}u:pw@"):
            assert pattern.match(text) is None or USUAL.may_hold_secret(text)


@pytest.mark.parametrize("begins", ["secret = {", "secrets = [", "password: {", '\\"token\\": ['])
@pytest.mark.parametrize("cut", [0, 15])
def test_a_string_that_ends_in_a_brace_names_nothing_behind_it(begins: str, cut: int) -> None:
    """Also if where it begins is not known: a lost packet, or one that is looked at by itself."""
    text = (
        f'data: {{"a":{{"content":"{begins}"}}}},"note":"a later string"}}],"b":"fp_44709d"}}\n\n'
    )
    finder = ContentFinder(is_event_stream=False)
    assert finder.feed(text[cut:]) == []
