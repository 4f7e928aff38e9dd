"""Compare exchanges with a stored transcript, section by section.

Strategy: a transcript is a text file that people read and review: for each exchange a title, and
three blocks of lines. Framing and content are compared as texts. Times are compared with tolerance:
they are of the same event, by its place among lines of content that are equal, and differ if they
are further apart than a busy machine puts them. So a difference shows in the section it belongs to,
and two recordings of one app show none. Rewriting keeps times that do not differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple

from .exchange import Exchange
from .golden_text import SECTIONS, GoldenText, Section, Writer

HEADING = "# What was on the wire; pytest --wire-update writes it anew."
TOLERANCE = 0.25
"""Seconds by which a time may differ: what the scheduler of a busy machine may take."""
FIRST_TOLERANCE = 1.0
"""Seconds for the first event of an exchange: with it comes what a server does only once."""
RELATIVE_TOLERANCE = 0.5
"""Part of the longer one by which two times may differ."""
TIME = re.compile(r"\w+ (?P<number>\d+) after (?P<seconds>\d+(\.\d+)?) s")
TITLE = "== "
INDENT = "  "
CHUNK, CLIENT = "chunk ", "client: "
"""How lines begin of a time that belongs to no line of content, and of content without a time."""


class Difference(NamedTuple):
    """One place where two transcripts differ."""

    title: str
    """Of the exchange."""
    section: Section
    stored: Sequence[str]
    now: Sequence[str]


def compare(
    path: Path, exchanges: Sequence[Exchange], *, update: bool, replace: Mapping[str, str]
) -> str | None:
    """Return how exchanges differ from those stored at ``path``, None if they do not.

    With ``update`` a difference is written there instead. ``replace`` has patterns of what differs
    from run to run, each with what is put in its place.
    """
    writer = Writer(replace)
    found = [writer.write(exchange) for exchange in exchanges]
    stored = read(path.read_text("utf-8")) if path.exists() else None
    differing = None if stored is None else list(differences(stored, found))
    if differing == []:
        return None
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(found if stored is None else _settled(stored, found)), "utf-8")
        return None
    if differing is None:
        return f"there is no transcript {path}: pytest --wire-update writes it"
    return _told(path, differing)


def text(transcripts: Sequence[GoldenText]) -> str:
    """Return the file of some transcripts."""
    lines = [HEADING]
    for transcript in transcripts:
        lines += ["", f"{TITLE}{transcript.title}"]
        for section in SECTIONS:
            lines += ["", f"[{section}]", *(INDENT + line for line in transcript.sections[section])]
    return "\n".join(lines) + "\n"


def read(stored: str) -> list[GoldenText]:
    """Return the transcripts of a file; lines that are none of theirs are left."""
    found: list[GoldenText] = []
    sections: dict[Section, list[str]] = {}
    lines: list[str] = []
    for line in stored.splitlines():
        if line.startswith(TITLE):
            sections = {section: [] for section in SECTIONS}
            found.append(GoldenText(line.removeprefix(TITLE), sections))
        elif line.startswith(INDENT):
            lines.append(line.removeprefix(INDENT))
        for section in sections:
            if line == f"[{section}]":
                lines = sections[section]
    return found


def differences(stored: Sequence[GoldenText], found: Sequence[GoldenText]) -> Iterator[Difference]:
    """Yield where transcripts differ; one that is missing or new differs in framing."""
    titles = [transcript.title for transcript in stored], [item.title for item in found]
    for tag, first, last, start, end in SequenceMatcher(None, *titles, False).get_opcodes():
        if tag == "equal":
            for before, after in zip(stored[first:last], found[start:end], strict=True):
                yield from _between(before, after)
            continue
        gone = [f"an exchange {title}" for title in titles[0][first:last]]
        new = [f"an exchange {title}" for title in titles[1][start:end]]
        yield Difference((titles[0][first:last] or titles[1][start:end])[0], "framing", gone, new)


def _between(stored: GoldenText, found: GoldenText) -> Iterator[Difference]:
    for section in ("framing", "content"):
        before, after = stored.sections[section], found.sections[section]
        for tag, first, last, start, end in _opcodes(before, after):
            if tag != "equal":
                yield Difference(stored.title, section, before[first:last], after[start:end])
    for before, after in _same_events(stored, found):
        if not _is_near(before, after):
            yield Difference(stored.title, "timing", [before], [after])


def _same_events(stored: GoldenText, found: GoldenText) -> Iterator[tuple[str, str]]:
    """Yield the times of events that both have, in pairs.

    Chunks that were cut otherwise have none in common: what differs is framing.
    """
    before, after = stored.sections["timing"], found.sections["timing"]
    if len(before) == len(after):
        yield from zip(before, after, strict=True)
    if len(before) == len(after) or before[:1] and before[0].startswith(CHUNK):
        return
    for tag, first, last, start, end in _opcodes(_timed(stored), _timed(found)):
        if tag == "equal":
            yield from zip(before[first:last], after[start:end], strict=False)


def _timed(transcript: GoldenText) -> list[str]:
    """Return the content that the times belong to, in their order."""
    return [line for line in transcript.sections["content"] if not line.startswith(CLIENT)]


def _opcodes(
    before: Sequence[str], after: Sequence[str]
) -> Sequence[tuple[str, int, int, int, int]]:
    return SequenceMatcher(None, before, after, autojunk=False).get_opcodes()


def _is_near(stored: str, found: str) -> bool:
    """Return whether two lines of times are as good as the same."""
    before, after = TIME.fullmatch(stored), TIME.fullmatch(found)
    if before is None or after is None:
        return stored == found
    one, other = float(before["seconds"]), float(after["seconds"])
    tolerance = TOLERANCE if int(before["number"]) and int(after["number"]) else FIRST_TOLERANCE
    return abs(one - other) <= max(tolerance, RELATIVE_TOLERANCE * max(one, other))


def _settled(stored: Sequence[GoldenText], found: Sequence[GoldenText]) -> list[GoldenText]:
    """Return what was found, with the stored times where they do not differ."""
    if [item.title for item in stored] != [item.title for item in found]:
        return list(found)
    return [_with_times(before, after) for before, after in zip(stored, found, strict=True)]


def _with_times(stored: GoldenText, found: GoldenText) -> GoldenText:
    before, after = stored.sections["timing"], found.sections["timing"]
    if len(before) != len(after):
        return found
    times = [old if _is_near(old, new) else new for old, new in zip(before, after, strict=True)]
    return GoldenText(found.title, {**found.sections, "timing": times})


def _told(path: Path, differing: Sequence[Difference]) -> str:
    sections = [
        section for section in SECTIONS if any(found.section == section for found in differing)
    ]
    lines = [
        f"the wire differs in {' and '.join(sections)} from {path}"
        " (- stored, + now; pytest --wire-update accepts it)"
    ]
    for difference in differing:
        lines.append(f"{difference.title}, {difference.section}:")
        lines += [f"  - {line}" for line in difference.stored]
        lines += [f"  + {line}" for line in difference.now]
    return "\n".join(lines)
