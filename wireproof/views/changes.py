"""What became worse from one run to another: for people, for scripts, for CI and pull requests."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from typing import Protocol, TextIO

import msgspec

from ..text.escape import escape
from ..text.wording import count, duration

ORDER = {"regression": 0, "missing": 1, "too-few": 2, "same": 3}
WORDS = {
    "regression": "worse",
    "missing": "missing in B",
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


def sentence(change: Shown) -> str:
    """Return a change in a line, escaped."""
    name = escape(change.group) or "all packets"
    if change.answer == "missing":
        return f"{name}: {count(change.samples[0], 'exchange')} in A, none in B"
    sizes = f"{change.samples[0]:,} and {change.samples[1]:,}"
    came = f"{_figure(change, change.before)} -> {_figure(change, change.after)}"
    tested = f"effect {change.effect:+.2g}, by chance {change.chance:.2g}, of {sizes}"
    return f"{name}: {escape(change.what)}: {WORDS[change.answer]}: {came} ({tested})"


def _figure(change: Shown, value: float | None) -> str:
    if value is None:
        return "none"
    if change.what.endswith("count"):
        return f"{value:,.0f}"
    return f"{value:.2%}" if change.is_share else duration(value)


def _told(changes: Sequence[Shown]) -> list[Shown]:
    found = [change for change in changes if change.answer != "same"]
    return sorted(found, key=lambda one: ORDER[one.answer])


def ending(changes: Sequence[Shown]) -> str:
    """Return what it comes to, in a line."""
    counts = {word: sum(one.answer == word for one in changes) for word in ORDER}
    worse = count(counts["regression"], "regression")
    few = counts["too-few"]
    more = f"; {few:,} of them would be worse, with too few exchanges to tell" if few else ""
    return f"{worse} among {count(len(changes), 'comparison')}{more}"


def _table(changes: Sequence[Shown], stream: TextIO) -> None:
    for change in _told(changes):
        stream.write(sentence(change) + "\n")
    stream.write(ending(changes) + "\n")


def _json(changes: Sequence[Shown], stream: TextIO) -> None:
    told = {"is_regression": any(one.answer == "regression" for one in changes), "changes": changes}
    stream.write(msgspec.json.format(msgspec.json.encode(told)).decode() + "\n")


def _junit(changes: Sequence[Shown], stream: TextIO) -> None:
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
    root = ET.Element("testsuites")
    root.append(suite)
    stream.write(ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n")


def _markdown(changes: Sequence[Shown], stream: TextIO) -> None:
    stream.write(f"**{ending(changes)}**\n\n")
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


FORMATS: dict[str, Callable[[Sequence[Shown], TextIO], None]] = {
    "table": _table,
    "json": _json,
    "junit": _junit,
    "markdown": _markdown,
}
"""Every format, and what writes it."""
