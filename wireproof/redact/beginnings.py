"""Whether a text can hold a secret at all, told from the beginnings of secrets that are in it.

Strategy: most texts hold none, and this must be cheap to tell. A beginning has a run of letters, so
it is only in a text that has a word with these letters. Words come again and again: of each it is
told once whether a beginning is in it, and after that one look at the set of a text's words leaves
few. Only for the beginnings that are then found in the text what must follow them is looked for,
each with an expression of its own, compiled when first needed. That takes a third of the time of
one expression of all beginnings, which takes a tenth of a second to compile; a text with many
beginnings, or many words that never came before, is still looked through with that one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from itertools import islice

LETTERS = bytes(byte if byte in b"abcdefghijklmnopqrstuvwxyz" else 32 for byte in range(256))
"""Turns whatever is no letter into spaces; texts are in lower case."""
SIGNS = (b"$", b"~", b"%", b"|", b"_", b"-", b"\\", b"/", b".", b'"', b"")
"""Of beginnings with hardly a letter one that each has, or none: the rarest one comes first."""
MAX_WORDS = 4_096
"""Words that are known: as many as texts of a kind have. Once there are as many, texts with others
are looked through with the expression of all beginnings."""
MAX_WORD = 32
"""Letters of the longest one: what is longer is no word, and texts with such are looked through
with that expression, too."""
LONG_WORD = 1_024
"""Letters from which on it is worth looking for one letter over and over in a word."""
ONE_LETTER = re.compile(rb"(([a-z])\2{31})\2+")
"""More of it than a beginning has."""
MOST_NEW = 48
"""Words of a text that never came before: of those of more not each is looked through."""
MOST_FOUND = 9
"""Beginnings in a text, each of which is looked for by itself."""
BREATHER = 16
"""Texts that are not looked at for words after one that had too many of either."""


def longest_run(begins: bytes) -> bytes:
    """Return the longest run of letters in a beginning."""
    return max(begins.translate(LETTERS).split(), key=len, default=b"")


def words_of(lower: bytes) -> bytes:
    """Return the words of a text, each once: a run of letters that is in none of them is nowhere in
    the text, and to look there takes a quarter of the time or less.

    A letter over and over is as good as some: that is what zeros are in base64.
    """
    words = set(lower.translate(LETTERS).split())
    long = [word for word in words if len(word) > LONG_WORD]
    words.difference_update(long)
    words.update(ONE_LETTER.sub(rb"\1", word) for word in long)
    return b" ".join(words)


class Beginnings:
    """The beginnings that are in a text."""

    def __init__(self, begins: Iterable[bytes]) -> None:
        self._by_letters: dict[bytes, list[tuple[bytes, bytes]]] = {}
        """By the first two letters of its longest run of them, this run and a beginning."""
        self._by_sign: dict[bytes, list[bytes]] = {}
        self._wide: list[bytes] = []
        """Those that are not ASCII."""
        self._escaped: list[bytes] = []
        """Those in which a character is written as JSON may escape it."""
        self._harmless: set[bytes] = set()
        self._telling: dict[bytes, list[bytes]] = {}
        """Words, and which beginnings are in a text if they are."""
        for one in begins:
            self._add(one)

    def _add(self, begins: bytes) -> None:
        run = longest_run(begins)
        if not begins.isascii():
            self._wide.append(begins)
        elif b"\\u" in begins:
            self._escaped.append(begins)
        elif len(run) > 1:
            self._by_letters.setdefault(run[:2], []).append((run, begins))
        else:
            sign = next(sign for sign in SIGNS if sign in begins)
            self._by_sign.setdefault(sign, []).append(begins)

    def found_in(self, lower: bytes) -> list[bytes] | None:
        """Return the beginnings in a text; None if this takes longer than to look for a secret."""
        words = set(lower.translate(LETTERS).split())
        words -= self._harmless
        new = words.difference(self._telling)
        room = MAX_WORDS - len(self._harmless) - len(self._telling)
        is_much = len(new) > min(MOST_NEW, room)
        for word in islice(new, min(MOST_NEW, room)):
            if len(word) > MAX_WORD:
                is_much = True
            else:
                self._learn(word)
        if is_much:
            return None
        found: set[bytes] = set()
        for word in words:
            found.update(self._telling.get(word, ()))
        for sign, begins in self._by_sign.items():
            if sign in lower:
                found.update(begins)
        if not lower.isascii():
            found.update(self._wide)
        if b"\\u" in lower:
            found.update(self._escaped)
        return [begins for begins in found if begins in lower]

    def _learn(self, word: bytes) -> None:
        """Keep which beginnings have their letters in a word."""
        found = [
            begins
            for at in range(len(word) - 1)
            for run, begins in self._by_letters.get(word[at : at + 2], ())
            if word.startswith(run, at)
        ]
        if found:
            self._telling[word] = found
        else:
            self._harmless.add(word)


class Likely:
    """Whether there can be a secret in a text: one of some beginnings, and what must follow it."""

    def __init__(
        self, begins: Collection[bytes], afters: Callable[[bool], Mapping[bytes, bytes]]
    ) -> None:
        """``afters`` returns the expressions of what follows beginnings, of whatever follows none,
        for texts in which there may be tags, and for others."""
        self._begins = begins
        self._beginnings = Beginnings(begins)
        self._afters = afters
        self._breather = 0
        """Texts that are yet to be looked through with one expression."""

    def is_in(self, lower: bytes) -> bool:
        """Return whether a text, in lower case, has one of them and what follows it."""
        expressions = self._in_tags if b">" in lower else self._outside_tags
        if self._breather:
            self._breather -= 1
            return expressions.any.search(lower) is not None
        found = self._beginnings.found_in(lower)
        if found is None or len(found) > MOST_FOUND:
            self._breather = BREATHER
            return expressions.any.search(lower) is not None
        return any(expressions.of(begins).search(lower) is not None for begins in found)

    @cached_property
    def _in_tags(self) -> _Expressions:
        return _Expressions(self._begins, self._afters(True))

    @cached_property
    def _outside_tags(self) -> _Expressions:
        return _Expressions(self._begins, self._afters(False))


class _Expressions:
    """Beginnings with what must follow them, as expressions."""

    def __init__(self, begins: Iterable[bytes], afters: Mapping[bytes, bytes]) -> None:
        self._words = {one: afters.get(one, b"") for one in begins}
        self._compiled: dict[bytes, re.Pattern[bytes]] = {}

    def of(self, begins: bytes) -> re.Pattern[bytes]:
        """Return that of one beginning."""
        if (found := self._compiled.get(begins)) is None:
            found = self._compiled[begins] = re.compile(re.escape(begins) + self._words[begins])
        return found

    @cached_property
    def any(self) -> re.Pattern[bytes]:
        """That of all of them."""
        return re.compile(any_of(self._words))


def any_of(words: Mapping[bytes, bytes]) -> bytes:
    """Return a pattern of all words, each with what follows it, that shares their beginnings."""
    rests: dict[bytes, dict[bytes, bytes]] = {}
    for word, after in words.items():
        if word:
            rests.setdefault(word[:1], {})[word[1:]] = after
    found = [words[b""]] if b"" in words else []
    if found == [b""]:  # whatever follows: the shortest one is enough
        return b""
    found += [re.escape(first) + any_of(rest) for first, rest in sorted(rests.items())]
    return found[0] if len(found) == 1 else b"(?:" + b"|".join(found) + b")"
