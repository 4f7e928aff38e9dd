"""Shapes of tokens: the table of :file:`tokens.json`, in which each has its source and a date."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

TABLE = Path(__file__).with_name("tokens.json")


class Shape(NamedTuple):
    """What the tokens of a vendor look like."""

    vendor: str
    prefixes: list[str]
    rest: str
    """One character of what follows, as a regular expression; empty if nothing does."""
    least: int
    """How many of those there are at least."""
    source: str
    """Where the vendor says so."""
    date: str
    """When the entry was last compared with a source, as ISO 8601 has it."""
    seen: Literal["page", "rules", "reports"]
    """With what: the vendor's page, public rules of detectors, or what users say."""
    before: str = ""
    """What stands before the prefix in the same token, of a fixed width."""
    shape: str = ""
    """All that follows the prefix, where more than its length tells it."""
    opens: int = 0
    """How many characters of what follows tell a token that the end of a piece cuts."""


@cache
def token_shapes() -> tuple[Shape, ...]:
    """Return all shapes, in the table's order."""
    return tuple(Shape(**entry) for entry in json.loads(TABLE.read_bytes())["tokens"])


@cache
def hook_hosts() -> tuple[str, ...]:
    """Return how hosts end that have addresses which are secrets."""
    hosts = (prefix.partition("/") for shape in token_shapes() for prefix in shape.prefixes)
    return tuple(dict.fromkeys(host for host, has_path, _ in hosts if has_path and "." in host))
