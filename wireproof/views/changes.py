"""What became worse from one run to another: for people, for scripts, for CI and pull requests."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import PurePath
from shlex import quote
from typing import NamedTuple, Protocol, TextIO

import msgspec

from ..text.escape import escape
from ..text.wording import count, duration

NAMED = 10
"""Captures of a run that are named in a line; JSON has those that are known by name."""


MERGED = " + "
"""What stands between the names of captures that are one, by time."""
RETRANSMISSIONS = "retransmissions"
NUMBERS = {
    "headers_after": "headers",
    "first": "first_event",
    "first_token": "ttft",
    "late first tokens": "ttft",
    "last": "last_content",
    "gap_p50": "p50 of icl",
    "gap_max": "max of icl",
    "long pauses": "max of icl",
    "bursts": "p50 of icl beside its max",
}
"""Which numbers of ``wireproof latency`` show what is compared."""
IS_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://").match
"""Whether a capture is elsewhere."""


class Lacks(NamedTuple):
    """What a run does not have of what was asked for."""

    left_out: Sequence[str] = ()
    """What cannot be read, and why: a line each."""
    faults: Mapping[str, int] = {}
    """How many captures are not whole, by codes of diagnostics."""
    incomplete: Mapping[str, Sequence[str]] = {}
    """The first of them by name, with their codes."""


Both = tuple[Lacks, Lacks]
"""Of A and B."""
ORDER = {
    "regression": 0,
    "missing": 1,
    "new": 2,
    "left-out": 3,
    "not-recorded": 4,
    "too-few": 5,
    "same": 6,
}
WORDS = {
    "regression": "worse",
    "missing": "missing in B",
    "new": "new in B",
    "left-out": "left out",
    "not-recorded": "not recorded",
    "too-few": "too few to tell",
    "same": "same",
}


SKIPPED = frozenset(("missing", "new", "left-out", "not-recorded", "too-few"))
"""Answers of what was not compared, or without a result."""


class Place(Protocol):
    """An exchange to look at, or a connection, as :class:`wireproof.diff.change.Example` is."""

    @property
    def capture(self) -> str: ...
    @property
    def connection(self) -> int: ...
    @property
    def exchange(self) -> int | None: ...
    @property
    def packet(self) -> int: ...
    @property
    def value(self) -> float | None: ...


class Shown(Protocol):
    """What a change has, as :class:`wireproof.diff.change.Change` is."""

    @property
    def group(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def answer(self) -> str: ...
    @property
    def before(self) -> float | None: ...
    @property
    def after(self) -> float | None: ...
    @property
    def effect(self) -> float: ...
    @property
    def chance(self) -> float: ...
    @property
    def samples(self) -> tuple[int, int]: ...
    @property
    def follows(self) -> str | None: ...
    @property
    def limit(self) -> float | None: ...
    @property
    def worst(self) -> Sequence[Place]: ...
    @property
    def is_share(self) -> bool: ...
    @property
    def is_counted(self) -> bool: ...
    @property
    def is_compared(self) -> bool: ...


class Counted(Protocol):
    """What is kept of a request."""

    @property
    def exchanges(self) -> int: ...


class Kept(Protocol):
    """What a baseline has, as :class:`wireproof.diff.profile.Profile` does."""

    @property
    def groups(self) -> Mapping[str, Counted]: ...


def sentence(change: Shown) -> str:
    """Return a change in a line, escaped."""
    name = escape(change.group) or _of_all(change)
    before, after = change.samples
    if change.answer == "missing":
        return f"{name}: {count(before, 'exchange')} in A, none in B"
    if change.answer == "new":
        return f"{name}: {count(after, 'exchange')} in B, none in A"
    sizes = f"{before:,} and {after:,}"
    if _is_silent(change):
        return f"{name}: too few exchanges to find a regression: {sizes}"
    came = f"{_figure(change, change.before)} -> {_figure(change, change.after)}"
    if not change.is_compared:
        return f"{name}: {_uncompared(change, came)} (n = {sizes})"
    chance = f"p = {change.chance:.2g}"
    if change.limit is not None:
        chance = f"p = {change.chance:.3g} where up to {change.limit:.2g} counts"
    tested = f"effect {change.effect:+.2g}, {chance}, n = {sizes}"
    what = _what(change)
    if change.answer == "consequence":
        return (
            f"{name}: {what}: {came}, which follows from {escape(change.follows or '')} ({tested})"
        )
    return f"{name}: {what}: {WORDS[change.answer]}: {came} ({tested})"


def places(change: Shown) -> list[str]:
    """Return where to look at a regression, the worst first: in which exchanges of a capture."""
    return [f"{' '.join(_which(one))}, {_there(change, one)}" for one in change.worst]


def commands(change: Shown) -> list[str]:
    """Return what shows them, a line each, escaped; a shell takes the rest for a comment.

    A time, which nothing need be wrong with by itself, is shown by its name in ``latency``.
    """
    number = NUMBERS.get(change.what.removesuffix(" p50").removesuffix(" p99"))
    look = f": {number}" if number else ""
    return [
        f"{_showing(change, one, number)}  # {_there(change, one)}{look}{_to_copy(one)}"
        for one in change.worst
    ]


def _to_copy(place: Place) -> str:
    """Return what has to be done before: captures are looked at where their packets are."""
    if not any(map(IS_URL, place.capture.split(MERGED))):
        return ""
    return f"; first copy {escape(place.capture)} here"


def _at_hand(capture: str) -> str:
    """Return what a capture is called when it has been copied."""
    return capture.rpartition("/")[2] if IS_URL(capture) else capture


def _showing(change: Shown, place: Place, number: str | None) -> str:
    """Return the command that explains an exchange, has a number of it, or lists the
    retransmissions of a connection.

    The files of a ring are one for mergecap, and so are those that were merged by time.
    """
    capture = MERGED.join(map(_at_hand, escape(place.capture).split(MERGED)))
    parts = capture.split(MERGED)
    merged = parts if all(PurePath(part).suffix for part in parts) else [capture]
    files = " ".join(map(_as_words, merged))
    reading, file = "", files
    if len(merged) > 1:
        reading, file = f"mergecap -w - {files} | ", "-"
    elif "*" in capture:
        reading, file = f"mergecap -a -w - {files} | ", "-"
    if change.what == RETRANSMISSIONS:
        chosen = f"tcp.stream == {place.connection} && tcp.analysis.retransmission"
        return f"{reading}tshark -r {file} -Y '{chosen}'"
    command = "latency" if number else "explain"
    return f"{reading}wireproof {command} {file} --{' '.join(_which(place))}"


def _as_words(capture: str) -> str:
    """Return a file, or those of a ring, as a shell takes them; none is an option."""
    capture = f"./{capture}" if capture.startswith("-") else capture
    return "*".join(quote(part) if part else "" for part in capture.split("*"))


def _which(place: Place) -> tuple[str, str]:
    if place.exchange is None:
        return "connection", f"{place.connection}"
    return "exchange", f"{place.connection}/{place.exchange}"


def _there(change: Shown, place: Place) -> str:
    packet = f"packet {place.packet}"
    if place.value is None:
        return packet
    return f"{packet}, {f'{place.value:,.0f}' if change.is_counted else duration(place.value)}"


def _uncompared(change: Shown, came: str) -> str:
    """Return what is said of exchanges without being compared."""
    what = _what(change)
    if change.answer == "left-out":
        return f"{what}: {came} of the exchanges, left out: those of the proxy's clients count"
    few, _, metrics = what.partition(": ")
    if metrics:
        return f"{few} to compare {metrics}: {came} of the exchanges lack bytes for that"
    return (
        f"{what}: {came} of the exchanges lack bytes in the capture, and are not asked how they"
        " ended or how many elements came"
    )


def _what(change: Shown) -> str:
    """Return what was compared; that elements are counted goes without saying."""
    return escape(change.what.removesuffix(": count"))


def _of_all(change: Shown) -> str:
    """Return what a change of the whole run is of."""
    return "all packets" if change.what == RETRANSMISSIONS else "all requests"


def _figure(change: Shown, value: float | None) -> str:
    if value is None:
        return "none"
    if change.what.endswith("count"):
        return f"{value:,.1f}".removesuffix(".0")
    return f"{value:.2%}" if change.is_share else duration(value)


def _told(changes: Sequence[Shown]) -> list[Shown]:
    """Return what is to be said, in its order: a regression, then what follows from it."""
    found = [one for one in changes if one.answer != "same" and one.follows is None]
    follow = [one for one in changes if one.answer == "consequence"]
    told: list[Shown] = []
    for one in sorted(found, key=lambda one: ORDER[one.answer]):
        told.append(one)
        if one.answer == "regression":
            told += [other for other in follow if _is_cause(one, other)]
            follow = [other for other in follow if not _is_cause(one, other)]
    return told


def _is_cause(change: Shown, other: Shown) -> bool:
    """Whether one follows from the other; what follows for all requests is told once."""
    same = change.group == other.group or not (change.group and other.group)
    return same and other.follows == change.what


def kept(profile: Kept, least: int) -> str:
    """Return what a baseline holds, in words; a request needs ``least`` exchanges to be told of."""
    sizes = [group.exchanges for group in profile.groups.values()]
    requests, exchanges = count(len(sizes), "request"), count(sum(sizes), "exchange")
    few = count(sum(size < least for size in sizes), "request")
    more = f"; {few} with fewer than {least} exchanges: too few to find a regression"
    return f"{requests}, {exchanges}{more if min(sizes, default=least) < least else ''}"


def _is_silent(change: Shown) -> bool:
    """Whether a request had so few exchanges that no regression of it could be found."""
    return change.answer == "too-few" and change.what == "exchanges"


def ending(changes: Sequence[Shown]) -> str:
    """Return what it comes to, in a line: of what nothing could be told, too."""
    compared = [one for one in changes if one.is_compared]
    worse = sum(one.answer == "regression" for one in compared)
    if not worse and not any(one.group for one in compared):
        return "nothing to compare: no request of A is in B"
    follow = sum(one.answer == "consequence" for one in compared)
    of_them = f" and {count(follow, 'consequence')}" if follow else ""
    said = [f"{count(worse, 'regression')}{of_them} in {count(len(compared), 'comparison')}"]
    if few := sum(one.answer == "too-few" and one.follows is None for one in compared):
        said.append(f"{few:,} more may be worse, but with too few exchanges to tell")
    if silent := sum(map(_is_silent, changes)):
        have = "has" if silent == 1 else "have"
        said.append(f"{count(silent, 'request')} {have} too few exchanges to find any")
    return "; ".join(said)


def lacking(runs: Both) -> list[str]:
    """Return what the runs do not have, a line each, escaped."""
    said = [f"left out of {name}: {message}" for name, message in _left_out(runs)]
    return [escape(line) for line in (*said, *_incomplete(runs))]


def _left_out(runs: Both) -> list[tuple[str, str]]:
    """Return what was left out of which run, with the reason."""
    return [
        (name, message.removeprefix("left out: "))
        for name, run in zip("AB", runs, strict=True)
        for message in run.left_out
    ]


def _incomplete(runs: Both) -> list[str]:
    """Return which runs have captures that are not whole, a line each."""
    return [
        f"captures of {name} that are not whole: {_named(run)}"
        for name, run in zip("AB", runs, strict=True)
        if run.faults
    ]


def codes(faults: Mapping[str, int]) -> str:
    """Return in how many captures which fault is."""
    return ", ".join(f"{code} in {number:,}" for code, number in faults.items())


def _named(run: Lacks) -> str:
    """Return which captures they are, each with its codes; of many how many, and the first."""
    captures = islice(run.incomplete.items(), NAMED)
    first = ", ".join(f"{name} ({', '.join(said)})" for name, said in captures)
    if first and len(run.incomplete) <= NAMED:
        return first
    return codes(run.faults) + (f": {first}, and others" if first else "")


def _ending(changes: Sequence[Shown], runs: Both) -> str:
    """Return what it comes to, and that less was compared than asked for."""
    left_out = len(_left_out(runs))
    less = f"; {left_out:,} left out, which cannot be read" if left_out else ""
    return ending(changes) + less


def _table(changes: Sequence[Shown], runs: Both, stream: TextIO) -> None:
    for change in _told(changes):
        stream.write(sentence(change) + "\n")
        for line in commands(change):
            stream.write(f"  {line}\n")
    for line in lacking(runs):
        stream.write(line + "\n")
    stream.write(_ending(changes, runs) + "\n")


def _json(changes: Sequence[Shown], runs: Both, stream: TextIO) -> None:
    told = {
        "is_regression": any(one.answer == "regression" for one in changes),
        "faults": {name: run.faults for name, run in zip("AB", runs, strict=True)},
        "incomplete": {name: run.incomplete for name, run in zip("AB", runs, strict=True)},
        "left_out": {name: run.left_out for name, run in zip("AB", runs, strict=True)},
        "changes": changes,
    }
    stream.write(msgspec.json.format(msgspec.json.encode(told)).decode() + "\n")


def _junit(changes: Sequence[Shown], runs: Both, stream: TextIO) -> None:
    left_out = _left_out(runs)
    failures = sum(one.answer == "regression" for one in changes)
    skipped = sum(one.answer in SKIPPED for one in changes)
    suite = ET.Element(
        "testsuite",
        name="wireproof diff",
        tests=str(len(changes) + len(left_out)),
        failures=str(failures),
        errors=str(len(left_out)),
        skipped=str(skipped),
    )
    for change in changes:
        case = ET.SubElement(
            suite, "testcase", classname=escape(change.group) or "all", name=_what(change)
        )
        if change.answer == "regression":
            failure = ET.SubElement(case, "failure", type="regression", message=sentence(change))
            failure.text = "\n".join(commands(change))
        elif change.answer == "consequence":
            ET.SubElement(case, "system-out").text = sentence(change)
        elif change.answer in SKIPPED:
            ET.SubElement(case, "skipped", message=sentence(change))
    for run, message in left_out:
        case = ET.SubElement(suite, "testcase", classname="captures", name=f"all of {run} is read")
        ET.SubElement(case, "error", type="left-out", message=escape(message))
    if said := _incomplete(runs):
        ET.SubElement(suite, "system-err").text = "\n".join(map(escape, said))
    root = ET.Element("testsuites")
    root.append(suite)
    stream.write(ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n")


def _markdown(changes: Sequence[Shown], runs: Both, stream: TextIO) -> None:
    stream.write(f"**{_ending(changes, runs)}**\n\n")
    said = [f"- {_cell(line)}\n" for line in lacking(runs)]
    stream.write("".join(said) + "\n" * bool(said))
    told = _told(changes)
    if not told:
        return
    stream.write("| result | request | metric | A | B | effect | exchanges |\n")
    stream.write("|---|---|---|---|---|---|---|\n")
    for one in told:
        cells = (
            _word(one),
            f"`{_cell(one.group)}`" if one.group else _of_all(one),
            _cell(_what(one)),
            _figure(one, one.before),
            _figure(one, one.after),
            f"{one.effect:+.2g}",
            f"{one.samples[0]:,} and {one.samples[1]:,}",
        )
        stream.write(f"| {' | '.join(cells)} |\n")
    worse = [one for one in told if one.worst]
    stream.write("\nLook at\n\n" * bool(worse))
    for one in worse:
        name = f"`{_cell(one.group)}`" if one.group else _of_all(one)
        there = ", ".join(map(_code, commands(one)))
        stream.write(f"- {name}, {_cell(_what(one))}: {there}\n")


def _word(change: Shown) -> str:
    if change.answer == "consequence":
        return f"follows from {_cell(change.follows or '')}"
    return WORDS[change.answer]


def _cell(text: str) -> str:
    """Return text that ends no cell and no code span, and makes no link or tag."""
    safe = escape(text).replace("|", "\\|").replace("`", "'")
    return safe.replace("<", "&lt;").replace("[", "\\[")


def _code(text: str) -> str:
    """Return a code span outside of tables: what is in it is shown as it is, to be copied."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    if not longest:
        return f"`{text}`"
    fence = "`" * (longest + 1)
    return f"{fence} {text} {fence}"


FORMATS: dict[str, Callable[[Sequence[Shown], Both, TextIO], None]] = {
    "table": _table,
    "json": _json,
    "junit": _junit,
    "markdown": _markdown,
}
"""Every format, and what writes it."""
ENDINGS = {".txt": "table", ".json": "json", ".xml": "junit", ".md": "markdown"}
"""The format that an output's name asks for."""
