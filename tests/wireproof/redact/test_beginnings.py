"""Whether a text can hold a secret at all."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wireproof.redact import beginnings
from wireproof.redact.beginnings import (
    MAX_WORD,
    MAX_WORDS,
    MOST_NEW,
    Beginnings,
    Likely,
    any_of,
    longest_run,
    words_of,
)
from wireproof.redact.patterns import USUAL, patterns

AFTERS = {
    b"token": rb"\s?[:=]",
    b"sk-": rb"[a-z]{4}",
    b"://": rb"\w+:\w+@",
    b"00": rb"1",
    b"\xc3\xa9": rb"=",
    b"\\u00e9": rb"=",
    b"key": b"",
}
PARTS = [*AFTERS, b"=", b":", b" ", b"abcd", b"u:p@", b"1", b"to", b"ken", b">", b"\\", b"k", b"ey"]


def likely() -> Likely:
    return Likely(AFTERS, lambda has_tags: AFTERS | ({b"key": b"x"} if has_tags else {}))


@given(st.lists(st.lists(st.sampled_from(PARTS), max_size=8).map(b"".join), max_size=4))
def test_it_is_what_one_expression_of_all_finds(texts: list[bytes]) -> None:
    all_of_them, tells = re.compile(any_of(AFTERS)), likely()
    for text in texts * 2:
        if b">" not in text:
            assert tells.is_in(text) == (all_of_them.search(text) is not None)


@given(st.lists(st.sampled_from([begins for begins, *_ in USUAL.triggers]), max_size=3))
def test_every_beginning_is_found_where_it_is(begins: list[bytes]) -> None:
    table = Beginnings({one.begins for one in USUAL.triggers})
    found = table.found_in(b" ".join(begins))
    assert found is not None
    assert set(begins) <= set(found)


def test_it_is_told_by_the_middle_of_a_word() -> None:
    tells = likely()
    assert tells.is_in(b"mytokens token=")
    assert not tells.is_in(b"mytokens, a token")
    assert tells.is_in(b"task-abcd")


def test_something_else_may_follow_where_there_are_tags() -> None:
    assert likely().is_in(b"key")
    assert not likely().is_in(b"<key>")
    assert likely().is_in(b"<keyx>")


def letters(number: int) -> bytes:
    """A word of its own for each number."""
    return b"w" + b"".join(b"abcdefghij"[int(digit) :][:1] for digit in str(number))


def test_a_text_of_many_new_words_is_looked_through_at_once() -> None:
    many = b" ".join(map(letters, range(MOST_NEW + 1)))
    assert Beginnings(AFTERS).found_in(many) is None
    tells = likely()
    for _ in range(3):
        assert not tells.is_in(many)
        assert tells.is_in(many + b" key")
        assert not tells.is_in(b"nothing")


def test_words_are_learnt_even_where_many_are_new() -> None:
    table = Beginnings(AFTERS)
    many = b" ".join(map(letters, range(MOST_NEW + 1))) + b" sk-abcd"
    while (found := table.found_in(many)) is None:
        pass
    assert found == [b"sk-"]


def test_words_are_learnt_as_far_as_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beginnings, "MAX_WORDS", 2)
    table = Beginnings(AFTERS)
    assert table.found_in(b"mytoken other") == [b"token"]
    assert table.found_in(b"mytoken third") is None
    assert table.found_in(b"other mytoken") == [b"token"]
    assert len(table._harmless) + len(table._telling) == 2
    assert MAX_WORDS > MOST_NEW


def test_what_is_too_long_for_a_word_is_not_learnt() -> None:
    table = Beginnings(AFTERS)
    assert table.found_in(b"l" * MAX_WORD) == []
    assert table.found_in(b"l" * (MAX_WORD + 1)) is None
    assert table._harmless == {b"l" * MAX_WORD}
    assert not likely().is_in(b"l" * (MAX_WORD + 1) + b" token")
    assert likely().is_in(b"l" * (MAX_WORD + 1) + b" key")


def test_a_text_of_many_beginnings_is_looked_through_at_once() -> None:
    found = USUAL._likely
    text = b" ".join(one.begins for one in USUAL.triggers if len(one.begins) > 8)
    assert found.is_in(text + b' password="x7Kp2mQ9"')


@given(st.lists(st.sampled_from(PARTS), max_size=8).map(b"".join))
def test_the_words_of_a_text_have_the_letters_of_each_beginning_in_it(text: bytes) -> None:
    for begins in AFTERS:
        assert begins not in text or longest_run(begins) in words_of(text)


def test_words_come_once() -> None:
    assert words_of(b"key=key, key-1 key") == b"key"
    assert words_of(b"k" * 9_000 + b"ey" + b"a" * 2_000) == b"k" * 32 + b"ey" + b"a" * 32
    assert longest_run(b"//a-key: ") == b"key"
    assert longest_run(b"$2") == b""


def test_a_name_of_a_user_may_be_anything() -> None:
    for name in ("x", "ключ", "x-my", "9", "größe"):
        assert patterns(names=(name,)).may_hold_secret(f'{{"{name}": "x7Kp2mQ9vR4tW1nB"}}')
