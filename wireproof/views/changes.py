"""What became worse from one run to another: for people, for scripts, for CI and pull requests."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TextIO

import msgspec

from ..text.escape import escape
from ..text.wording import count, duration

Faults = tuple[Mapping[str, int], Mapping[str, int]]
"""Of A and B, how many captures are not whole, by codes of diagnostics."""
ORDER = {"regression": 0, "missing": 1, "new": 2, "too-few": 3, "same": 4}
WORDS = {
    "regression": "worse",
    "missing": "missing in B",
    "new": "new in B",
    "too-few": "too few to tell",
    "same": "same",
}


class Shown(Protocol):
    """What a change has, as :class:`wireproof.diff.compare.Change` is."""

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
    def is_share(self) -> bool: ...


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
    name = escape(change.group) or "all packets"
    before, after = change.samples
    if change.answer == "missing":
        return f"{name}: {count(before, 'exchange')} in A, none in B"
    if change.answer == "new":
        return f"{name}: {count(after, 'exchange')} in B, none in A"
    sizes = f"{before:,} and {after:,}"
    if _is_silent(change):
        return f"{name}: too few exchanges to find a regression: {sizes}"
    came = f"{_figure(change, change.before)} -> {_figure(change, change.after)}"
    tested = f"effect {change.effect:+.2g}, by chance {change.chance:.2g}, of {sizes}"
    return f"{name}: {escape(change.what)}: {WORDS[change.answer]}: {came} ({tested})"


def _figure(change: Shown, value: float | None) -> str:
    if value is None:
        return "none"
    if change.what.endswith("count"):
        return f"{value:,.1f}".removesuffix(".0")
    return f"{value:.2%}" if change.is_share else duration(value)


def _told(changes: Sequence[Shown]) -> list[Shown]:
    found = [change for change in changes if change.answer != "same"]
    return sorted(found, key=lambda one: ORDER[one.answer])


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
    compared = [one for one in changes if one.what != "exchanges"]
    worse = sum(one.answer == "regression" for one in compared)
    if not worse and not any(one.group for one in compared):
        return "nothing to compare: no request of A is in B"
    said = [f"{count(worse, 'regression')} among {count(len(compared), 'comparison')}"]
    if few := sum(one.answer == "too-few" for one in compared):
        said.append(f"{few:,} of the others would be worse, but with too few exchanges to tell")
    if silent := sum(map(_is_silent, changes)):
        said.append(f"of {count(silent, 'request')} there are too few exchanges to find any")
    return "; ".join(said)


def incomplete(faults: Faults) -> str:
    """Return which runs have captures that are not whole, in a line; empty if none has."""
    named = [
        f"{name} ({', '.join(f'{code} in {number:,}' for code, number in one.items())})"
        for name, one in zip("AB", faults, strict=True)
        if one
    ]
    return f"captures that are not whole: {', '.join(named)}" if named else ""


def _table(changes: Sequence[Shown], faults: Faults, stream: TextIO) -> None:
    for change in _told(changes):
        stream.write(sentence(change) + "\n")
    if said := incomplete(faults):
        stream.write(said + "\n")
    stream.write(ending(changes) + "\n")


def _json(changes: Sequence[Shown], faults: Faults, stream: TextIO) -> None:
    told = {
        "is_regression": any(one.answer == "regression" for one in changes),
        "faults": dict(zip("AB", faults, strict=True)),
        "changes": changes,
    }
    stream.write(msgspec.json.format(msgspec.json.encode(told)).decode() + "\n")


def _junit(changes: Sequence[Shown], faults: Faults, stream: TextIO) -> None:
    failures = sum(one.answer == "regression" for one in changes)
    skipped = sum(one.answer in ("too-few", "missing") for one in changes)
    suite = ET.Element(
        "testsuite",
        name="wireproof diff",
        tests=str(len(changes)),
        failures=str(failures),
        skipped=str(skipped),
    )
    for change in changes:
        case = ET.SubElement(
            suite, "testcase", classname=escape(change.group) or "all", name=escape(change.what)
        )
        if change.answer == "regression":
            ET.SubElement(case, "failure", type="regression", message=sentence(change))
        elif change.answer != "same":
            ET.SubElement(case, "skipped", message=sentence(change))
    if said := incomplete(faults):
        ET.SubElement(suite, "system-err").text = said
    root = ET.Element("testsuites")
    root.append(suite)
    stream.write(ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n")


def _markdown(changes: Sequence[Shown], faults: Faults, stream: TextIO) -> None:
    stream.write(f"**{ending(changes)}**\n\n")
    if said := incomplete(faults):
        stream.write(f"{said}\n\n")
    told = _told(changes)
    if not told:
        return
    stream.write("| | request | what | A | B | effect | exchanges |\n")
    stream.write("|---|---|---|---|---|---|---|\n")
    for one in told:
        cells = (
            WORDS[one.answer],
            f"`{_cell(one.group)}`" if one.group else "all packets",
            _cell(one.what),
            _figure(one, one.before),
            _figure(one, one.after),
            f"{one.effect:+.2g}",
            f"{one.samples[0]:,} and {one.samples[1]:,}",
        )
        stream.write(f"| {' | '.join(cells)} |\n")


def _cell(text: str) -> str:
    """Return text that ends no cell and no code span, and makes no link or tag."""
    safe = escape(text).replace("|", "\\|").replace("`", "'")
    return safe.replace("<", "&lt;").replace("[", "\\[")


FORMATS: dict[str, Callable[[Sequence[Shown], Faults, TextIO], None]] = {
    "table": _table,
    "json": _json,
    "junit": _junit,
    "markdown": _markdown,
}
"""Every format, and what writes it."""
