"""A data set as its page asks for it: what named queries answer, and where its captures are.

Strategy: a data set that is looked at does not change, so each question is asked once. DuckDB's
connection is for one thread at a time. Of a row that is an exchange the answer says how to get to
it: the path at which its capture is opened, or what to do where that file is not at hand.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from ..analysis.verdict import tone
from ..query.database import Database, Say, Unanswered, answered
from ..query.named import NAMED
from ..tables.files import is_url
from ..tables.reading import TableOptions

QUESTIONS = ("verdict-shares", "first-token-by-target", "longest-gaps", "worst-exchanges")
"""The named queries that the page asks."""
SUMMARY = """
SELECT count(*) AS exchanges, count(DISTINCT (capture, capture_sha256)) AS captures,
    count(DISTINCT host) AS hosts, min(start_time) AS since, max(start_time) AS until
FROM exchanges
"""
CAPTURES = "SELECT DISTINCT capture, capture_sha256, host FROM connections ORDER BY ALL"
KEY_LENGTH = 32
"""Hexadecimal digits of a digest that a capture's path has."""


@dataclass(frozen=True)
class Known:
    """A capture of the data set."""

    name: str
    """Its path where it was exported, or its URL."""
    sha256: str
    host: str

    @property
    def key(self) -> str:
        return self.sha256[:KEY_LENGTH]


@dataclass
class Fleet:
    """A data set that is looked at; ``captures`` are folders that its files may be in by now."""

    name: str
    """What it is called: its folder's name and never its path, or its URL."""
    database: Database
    captures: tuple[Path, ...] = ()
    _lock: Lock = field(default_factory=Lock)
    _answers: dict[str, Any] = field(default_factory=dict)
    _known: dict[str, Known] = field(default_factory=dict)

    def answer(self, name: str) -> Any:
        """Return what the page asks by this name, None for any other.

        Raises ValueError for what DuckDB cannot answer.
        """
        if name == "summary":
            told = {"name": self.name, "left_out": self.database.left_out}
            return told | self._asked(name, SUMMARY)[0]
        if name not in QUESTIONS:
            return None
        rows = self._asked(name, NAMED[name].sql)
        if name == "worst-exchanges":
            return [self._placed(row) for row in rows]
        if name == "verdict-shares":
            return [row | {"tone": tone(row["answer"], row["severity"])} for row in rows]
        return rows

    def ask_all(self) -> None:
        """Ask what the page asks, before it does. Raises Unanswered for a file that cannot be
        read; of what else cannot be answered the page tells."""
        for name in ("summary", *QUESTIONS):
            try:
                self.answer(name)
            except Unanswered:
                raise
            except ValueError:
                continue

    def known(self, key: str) -> Known | None:
        """Return the capture of a key, None if there is none."""
        if not self._known:
            rows = self._asked("captures", CAPTURES)
            found = [Known(row["capture"], row["capture_sha256"], row["host"]) for row in rows]
            self._known = {one.key: one for one in found}
        return self._known.get(key)

    def path_of(self, capture: Known) -> str | None:
        """Return where a capture's file is now, None if it is nowhere; its URL, if it has one."""
        if is_url(capture.name):
            return capture.name
        name = Path(capture.name)
        places = [name, *(folder / name.name for folder in self.captures)]
        return next((str(place) for place in places if _is_at_hand(place)), None)

    def _asked(self, name: str, sql: str) -> list[dict[str, Any]]:
        with self._lock:
            if name not in self._answers:
                _, batches = self.database.ask(sql)
                self._answers[name] = [row for batch in batches for row in batch.to_pylist()]
            found: list[dict[str, Any]] = self._answers[name]
            return found

    def _placed(self, row: dict[str, Any]) -> dict[str, Any]:
        capture = Known(row["capture"], row["capture_sha256"], row["host"])
        link = f"#c{row['connection']}.{row['exchange']}"
        if self.path_of(capture) is not None:
            return row | {"opens": f"capture/{capture.key}/{link}"}
        return row | {"to_do": to_do(capture), "command": command(capture, link)}


def _is_at_hand(path: Path) -> bool:
    """Whether it is a file, and lies where this process may still read."""
    try:
        with path.open("rb"):
            return path.is_file()
    except OSError:
        return False


def to_do(capture: Known) -> str:
    """Return what to do to look at a capture that is not at hand."""
    where = f"{capture.name}, on {capture.host} when it was exported"
    if "*" in Path(capture.name).name:
        return (
            f"It is a ring of files: {where}. Join them into one with mergecap, and look at that:"
        )
    return f"It was {where}. Copy it here and look at it, or name its folder with --captures:"


def command(capture: Known, link: str) -> str:
    """Return the command that looks at a capture here, and the link to follow there."""
    file = Path(capture.name).name.replace("*", "joined").partition(" from ")[0]
    return f"wireproof view {shlex.quote(file)}   # then {link}"


@contextmanager
def looked_at(source: str, captures: tuple[Path, ...], say: Say) -> Iterator[Fleet]:
    """Give a data set to look at. Raises OSError, and ValueError if it is none."""
    name = source if is_url(source) else Path(source).absolute().name

    def fleet(database: Database) -> Fleet:
        found = Fleet(name, database, captures)
        found.ask_all()
        return found

    with ExitStack() as stack:
        yield answered([source], TableOptions(), say, stack, fleet)
