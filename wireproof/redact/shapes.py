"""Shapes of tokens: the table of :file:`tokens.toml`, in which each has its source and a date."""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

TABLE = Path(__file__).with_name("tokens.toml")


class Shape(NamedTuple):
    """What the tokens of a vendor look like."""

    vendor: str
    prefixes: list[str]
    rest: str
    """One character of what follows, as a regular expression."""
    least: int
    """How many of those there are at least."""
    source: str
    """Where the vendor says so."""
    date: date
    """When the entry was last compared with a source."""
    seen: Literal["page", "rules"]
    """With what: the vendor's page, or public rules of detectors."""


@cache
def token_shapes() -> tuple[Shape, ...]:
    """Return all shapes, in the table's order."""
    with TABLE.open("rb") as file:
        return tuple(Shape(**entry) for entry in tomllib.load(file)["token"])
