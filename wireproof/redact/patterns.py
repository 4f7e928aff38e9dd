"""What is looked for in texts: beginnings of secrets and of their names, and what comes after them.

Strategy: :mod:`.triggers` has the table. What a match means is told here: whether it is a secret at
all, where in it the secrets are, and what is remembered of one that the end of a text cuts.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

from . import blocks, plurals
from .around import COLLATION, Value, is_plain_around
from .beginnings import Likely, longest_run, words_of
from .forms import ATTRIBUTE_TEXT, MEMBER, OPENINGS
from .found import LEAST, FoundSecrets
from .given import SETS, is_given, is_told
from .names import (
    BEFORE_NAME,
    IN_NAME,
    IN_QUOTES,
    MAX_NAME,
    SPELLED,
    STRING_OF_ARRAY,
    STRING_OF_OBJECT,
    TAG,
)
from .personal import PERSONAL, Scan
from .plain import TYPE_OF_COLUMN, is_placeholder, is_plain_name, is_plain_token, is_plain_value
from .plain import WORD as WORD_OF_PROSE
from .sentences import is_sentence
from .triggers import POSSIBLE, WORDS, Trigger, likely, prefix_at, prefixes_in, triggers

Span = tuple[int, int]
Placed = tuple[Trigger, Sequence[int] | None]
"""A trigger, and the places in a text where it may be; None: it is searched for."""
OBJECTS = ("object", "long_object")
LINES = ("items", "long_items", "entries", "coded_entries")
"""Groups of several lines, each of which has a value."""
OF_ONE_VALUE = (
    *("xml", "text", "cell", "attribute", "joint", "given", "set_to", "told", "before"),
)
"""Groups whose value goes on as it began."""
LISTS = ("listed", "listed_words")

MAX_CONTEXT = 96
"""Characters kept of what came before: the names and prefixes of the table are shorter."""
SHORT_TEXT = 512
"""Bytes of a text whose pairs of bytes are looked up at once."""
MAX_PLACES = 4_096
"""Places of a prefix in a text that are remembered; where it has more, it is searched for."""
PRECEDES, FOLLOWS = 8, 128
"""Characters before a token, and after its beginning, that tell where it begins: no more are looked
at (:mod:`.triggers`)."""
MAX_OPEN = 128
"""Characters kept of a secret that has begun: its rest is of the same kind, however long."""


@cache
def _run_of(character: bytes) -> re.Pattern[bytes]:
    return re.compile(re.escape(character) + b"*+")


def _after_run(lower: bytes, begins: bytes, position: int) -> int:
    """Return where to look on for a beginning that is one character over and over (``AAAA``), and
    stands at ``position`` in a run of it: in the middle of a run there is nothing that tells where
    a token begins. Base64 of zeros is such a run, and each place would be tried."""
    if lower[max(position - PRECEDES, 0) : position] != begins[:1] * PRECEDES:
        return position
    run = _run_of(begins[:1]).match(lower, position)
    return position if run is None else max(position, run.end() - FOLLOWS)


def _next(lower: bytes, begins: bytes, after: int, places: Sequence[int] | None) -> int:
    """Return where a beginning stands next, -1 if nowhere; ``places`` are those where it may."""
    if places is None:
        return lower.find(begins, after)
    rest = map(places.__getitem__, range(bisect_left(places, after), len(places)))
    return next((place for place in rest if lower.startswith(begins, place)), -1)


@dataclass(frozen=True, eq=False)
class Patterns:
    """What is looked for in texts."""

    triggers: Sequence[Trigger]
    names: tuple[str, ...] = ()
    """Names of secrets, beside those of the table."""
    kept: frozenset[str] = frozenset()
    """Names, in lower case, whose values are no secrets."""
    scans: tuple[Scan, ...] = ()
    known: FoundSecrets | None = None
    """Secrets that have been found before, which are looked for in all their forms."""

    def may_hold_secret(self, text: str) -> bool:
        """Return whether there can be a secret in a text, or one that begins in it."""
        lower = lowered(text)
        is_possible = POSSIBLE.search(text) is not None or any(word in lower for word in WORDS)
        if is_possible and self._is_likely(lower):
            return True
        if any(scan.pattern.search(text) is not None for scan in self.scans):
            return True
        return self.known is not None and bool(self.known_in(text))

    def matches(self, text: str) -> Iterator[re.Match[str]]:
        """Yield every match of every trigger.

        Beginnings are looked for as bytes of lower case, of which a character has one: one regular
        expression of all alternatives takes 200 times as long.
        """
        lower = lowered(text)
        if not self._is_likely(lower):
            return
        for (begins, pattern, is_name, _), places in self._possible(lower):
            position = _next(lower, begins, 0, places)
            while position >= 0:
                match = pattern.match(text, position)
                if match is not None and not self._is_none(match, is_name=is_name):
                    yield match
                after = position + 1 if match is None else match.end()
                position = _next(lower, begins, after, places)
                if match is None and position == after:
                    position = _after_run(lower, begins, position)

    def _is_likely(self, lower: bytes) -> bool:
        """Return whether there can be a secret at all, which mostly there cannot.

        A text of which this is false has no secret that a trigger finds, nor ends in one.
        """
        return self._likely.is_in(lower)

    def _possible(self, lower: bytes) -> Iterable[Placed]:
        """Return the triggers that may be in a text, in order: of a short one those whose first
        two bytes are in it, which takes a third of the time of a search for each. Of a long one
        its words tell most of those that are not, and one pass the prefixes of tokens that are."""
        if len(lower) > SHORT_TEXT:
            words = words_of(lower)
            others = (ones for run, ones in self._by_run.items() if run in words)
            indices = sorted(index for ones in others for index in ones)
            placed = [(self.triggers[index], None) for index in indices]
            return [*placed, *self._prefixed(lower)]
        found: list[int] = []
        for pair in self._by_pair.keys() & set(zip(lower, lower[1:], strict=False)):
            found += self._by_pair[pair]
        return [(self.triggers[index], None) for index in sorted(found)]

    def _prefixed(self, lower: bytes) -> Iterator[Placed]:
        """Yield the triggers whose prefix is in a long text, with the places where it is: to search
        for each of hundreds takes ten times as long where what is no text has most of them."""
        places: defaultdict[bytes, list[int]] = defaultdict(list)
        search, position = self._prefixes.search, 0
        while (match := search(lower, position)) is not None:
            begins, place = prefix_at(match), match.start()
            found = places[begins]
            if len(found) <= MAX_PLACES:
                found.append(place)
            is_next, position = place == position, place + 1
            if is_next:
                position = _after_run(lower, begins, position)
        for key in sorted(places):
            found = places[key]
            for trigger in self._alike[key]:
                yield trigger, found if len(found) <= MAX_PLACES else None

    @cached_property
    def _by_pair(self) -> dict[tuple[int, int], list[int]]:
        """Where in the table triggers are, by their first two bytes."""
        found: dict[tuple[int, int], list[int]] = {}
        for index, trigger in enumerate(self.triggers):
            first, second = trigger.begins[:2]
            found.setdefault((first, second), []).append(index)
        return found

    @cached_property
    def _prefixes(self) -> re.Pattern[bytes]:
        return prefixes_in(self.triggers)

    @cached_property
    def _by_run(self) -> dict[bytes, list[int]]:
        """Where in the table those are that are no prefixes of tokens, by their longest run of
        letters."""
        found: dict[bytes, list[int]] = {}
        for index, trigger in enumerate(self.triggers):
            if not trigger.is_prefix:
                found.setdefault(longest_run(trigger.begins), []).append(index)
        return found

    @cached_property
    def _alike(self) -> dict[bytes, list[Trigger]]:
        """Those that are, by the shortest one that each begins with."""
        found: dict[bytes, list[Trigger]] = {}
        for one in self.triggers:
            if one.is_prefix and (match := self._prefixes.match(one.begins)) is not None:
                found.setdefault(prefix_at(match), []).append(one)
        return found

    @cached_property
    def _likely(self) -> Likely:
        return likely(self.triggers, self.names)

    def scanned(self, text: str) -> Iterator[Span]:
        """Yield what else is looked for, whose places do not depend on names."""
        for pattern, is_right in self.scans:
            for match in pattern.finditer(text):
                if is_right(match[0]):
                    yield match.span(match.lastindex or 0)
        yield from self.known_in(text)

    def known_in(self, text: str) -> list[Span]:
        """Return where secrets stand in a text that have been found before."""
        if self.known is None or len(text) < LEAST:
            return []
        left = self.known.left_in(text.encode("latin-1", "replace"))
        return [(start, end) for start, end, _ in left]

    def _is_none(self, match: re.Match[str], *, is_name: bool) -> bool:
        """Return whether what looks like a secret, or has the name of one, is none: kept, plain, or
        after an element's end."""
        if not is_name:
            assert match.lastindex is not None
            is_cut = match.end() == len(match.string)
            if match.lastgroup == "before":
                return False
            return is_plain_token(match[match.lastindex], match[0], is_cut=is_cut)
        start = match.start()
        if match.lastgroup == "xml" and (not _is_element(match) or _is_spelled(match)):
            return True
        if match.lastgroup in ("xml", "cell") and self._is_text_about(match):
            return True
        if match.lastgroup == "text":
            before = match.string[max(start - 96, 0) : start]
            return ATTRIBUTE_TEXT.search(before) is None or self._is_text_about(match)
        if match.lastgroup == "attribute":
            return TAG.search(text_before(match)) is None or self._is_text_about(match)
        if match.lastgroup in ("form", "long_form"):
            said = _FORM_NAME.search(match[0])
            return said is not None and said[1].lower() in self.kept
        if match.lastgroup in ("first", "unquoted"):
            value = match[match.lastgroup]
            is_about = is_placeholder(value) or is_sentence(value, "")
            return is_about or match[0].rpartition('"')[2].lower() in self.kept
        if match.lastgroup in ("member", "long_member"):
            member = MEMBER.match(match[0])
            name = "" if member is None else member[1].lower()
            value = match[match.lastgroup]
            is_cut = match.end() == len(match.string)
            return (
                name in self.kept
                or is_plain_name(name, value)
                or (not is_cut and (is_placeholder(value) or is_sentence(value, name)))
            )
        here = _NAME_HERE.match(match.string, start)
        assert here is not None
        name = name_of(match)
        if match.lastgroup == "set_to" and SETS.search(text_before(match)) is None:
            return True
        if match.lastgroup == "told":
            told = match["told"]
            value = Value(match.string, *match.span("told"), name, start)
            if not is_told(text_before(match), name, told) or is_plain_around(value, told):
                return True
        if match.lastgroup == "given" and not is_given(match, name, here[0]):
            return True
        if self.kept and (name in self.kept or name.rpartition(":")[2] in self.kept):
            return True
        said_here = match.string[start + len(here[0]) : match.end()]
        if is_plain_name(name, said_here):
            return True
        if match.lastgroup is not None or match.lastindex is None:
            return False
        value = Value(match.string, *match.span(match.lastindex), name, start)
        return is_plain_value(value, here[0])

    @staticmethod
    def _is_text_about(match: re.Match[str]) -> bool:
        """Return whether the text of an element stands for a secret, or is about it."""
        assert match.lastgroup is not None
        text = match[match.lastgroup].strip()
        is_cut = match.end() == len(match.string)
        types = (WORD_OF_PROSE, TYPE_OF_COLUMN, COLLATION) if match.lastgroup == "cell" else ()
        is_type = any(one.fullmatch(text) for one in types)
        if match.lastgroup == "cell":
            start = match.start("cell")
            text = match.string[start : start + 512].partition("<")[0]
        return not is_cut and (is_type or is_placeholder(text) or is_sentence(text, ""))


SECRET_CODE = re.compile(r"(?=\D{0,64}\d)(?=[^a-zA-Z]{0,64}[a-zA-Z])[\w~-]{16,}+", re.ASCII)
"""What OAuth gives as a code (RFC 6749 section 4.1.2), and no path, file or word is."""
_NAME_HERE = re.compile(r"[\w-]{0,64}", re.ASCII)
IN_PLACE = re.compile(
    r"(?:(--[\w-]{1,48}[ =]|(?i:bearer|basic|token)[ ])|[:=][ ]?)[\"'`]?<[\w-]{0,48}\Z"
)
"""What stands before a word in brackets that is no tag: ``--password <password>``."""
MEMBER_NAME = re.compile(r"([\w.-]{1,64})\\*\"\s*\Z", re.ASCII)
"""How a member begins that has a value."""
_FORM_NAME = re.compile(r"\bname=\"?([^\"\r\n;]*)", re.IGNORECASE)


@lru_cache(16)
def patterns(
    keep: frozenset[str] = frozenset(),
    names: tuple[str, ...] = (),
    expressions: tuple[str, ...] = (),
    is_personal: bool = False,
) -> Patterns:
    """Return what is looked for, beside what is by default, or but for it.

    ``keep`` and ``names`` are names, the latter of secrets; ``expressions`` are what is secret.
    Raises re.error for what is no expression.
    """
    scans = tuple(Scan(re.compile(one), bool) for one in expressions)
    scans += PERSONAL if is_personal else ()
    return Patterns(triggers(names), names, frozenset(map(str.lower, keep)), scans)


def lowered(text: str) -> bytes:
    """Return a text in lower case, a byte for each character."""
    return text.encode("latin-1", "replace").lower()


def _is_element(match: re.Match[str]) -> bool:
    """Return whether a name stands in the tag that opens an element, and not in brackets."""
    start = match.start()
    if (
        TAG.search(match.string, max(start - 65, 0), start) is None
        or match["xml"][:1] in "\"'`),\\"
    ):
        return False
    after = match.string[match.end() : match.end() + 2]
    place = IN_PLACE.search(match.string, max(start - 65, 0), start)
    is_known = place is not None and (place[1] is not None or match["xml"][:1] == "\n")
    if place is not None and after != "</" and (after or is_known):
        return False
    return after in ("", "<", "</", "]", "]]")


def _is_spelled(match: re.Match[str]) -> bool:
    """Return whether an element is HTML's code, or an error's or a list's, and says no secret."""
    value = match["xml"].strip()
    return name_of(match) in SPELLED and SECRET_CODE.fullmatch(value) is None


def name_before(match: re.Match[str]) -> str:
    """Return what of a name, a tag or an escape stands before a match, which may depend on it."""
    before = match.string[max(match.start() - MAX_NAME - 1, 0) : match.start()]
    rest = before.rstrip(IN_NAME)
    if rest and rest[-1] in BEFORE_NAME:
        return before[len(rest) - 1 :]
    return before[len(rest) :][-MAX_NAME:]


def name_of(match: re.Match[str]) -> str:
    """Return the whole name, in lower case, that a match of a trigger begins in."""
    here = _NAME_HERE.match(match.string, match.start())
    assert here is not None
    return (name_before(match).lstrip('<\\%"-') + here[0]).lower()


def text_before(match: re.Match[str]) -> str:
    """Return what stands before a match, which may be inside another that is not known yet."""
    return match.string[max(match.start() - MAX_CONTEXT, 0) : match.start()]


def opening_of(match: re.Match[str]) -> str:
    """Return what is remembered of a match that goes on: as much as tells how it does.

    The beginning of a secret, and whether an escape is open at its end. The rest is of the same
    kind, however long.
    """
    kind = match.lastgroup
    if kind is None or kind in OF_ONE_VALUE:
        return text_before(match) + _cut(match[0])
    if kind in OPENINGS:
        value = match[kind]
        return OPENINGS[kind] + (value[:MAX_OPEN] if kind.startswith("long") else value[-2:])
    if kind == "coded_object":
        return blocks.OPENING + _rest_of_object(match, kind)
    if kind in LINES:
        first, last_line = blocks.last_line(match, kind)
        return name_before(match) + first + _cut(last_line)
    if kind in LISTS:
        first, last_value = plurals.rest_of_list(match, kind)
        return name_before(match) + first + _cut(last_value)
    before = text_before(match) + match.string[match.start() : match.start(kind)]
    if kind in OBJECTS:
        return before + _rest_of_object(match, kind)
    if len(match[0]) <= MAX_OPEN:
        return text_before(match) + match[0]
    strings = STRING_OF_ARRAY.finditer(match.string, *match.span(kind))
    last = next(iter(deque(strings, maxlen=1)), None)
    if last is None or last["closes"]:
        return before + " "
    return before + last["opens"] + _cut(match.string[last.start("value") : match.end()])


def _rest_of_object(match: re.Match[str], kind: str) -> str:
    """Return what of an object's members tells how it goes on: its last value, if that is open, or
    what comes after it; and how deep in objects that is."""
    start, end = match.span(kind)
    strings = STRING_OF_OBJECT.finditer(match.string, start, end)
    last = next(iter(deque(strings, maxlen=1)), None)
    if last is not None and not last["closes"]:
        before = match.string[start : last.start()]
        name = MEMBER_NAME.search(before[-MAX_NAME:])
        named = "" if name is None else f'"{name[1]}":'
        value = last["opens"] + _cut(match.string[last.start("value") : end])
        return "{" * _depth(before) + (named or ":") + value
    rest = match.string[start if last is None else last.end() : end][-MAX_OPEN:]
    return "{" * max(_depth(match[kind]) - _depth(rest), 0) + rest


def _depth(text: str) -> int:
    """Return how many objects are open at the end of a part of one."""
    plain = IN_QUOTES.sub("", text)
    return max(plain.count("{") - plain.count("}"), 0)


def _cut(text: str) -> str:
    if len(text) <= MAX_OPEN:
        return text
    backslashes = len(text) - len(text.rstrip("\\"))
    return text[:MAX_OPEN].rstrip("\\") + "\\" * (backslashes % 2)


USUAL = patterns()
"""What is looked for unless a user says otherwise."""
