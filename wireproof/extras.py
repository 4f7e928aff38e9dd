"""Which libraries an extra brings, and whether they are installed.

Strategy: the one table is ``[project.optional-dependencies]`` of pyproject.toml, which the metadata
of an installation has; nothing is imported to find out. A bound there is a plain
``name>=version``, so that no library is needed to read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

Extra = Literal[
    "demo",
    "fleet",
    "h3",
    "https",
    "inspector",
    "metrics",
    "notebook",
    "otlp",
    "parquet",
    "plot",
    "query",
    "s3",
    "scapy",
    "select",
    "tls",
    "wireshark",
]

REQUIREMENT = re.compile(r"""([A-Za-z0-9._-]+)>=([0-9.]+); extra == ['"]([a-z0-9]+)['"]""")
NUMBER = re.compile("[0-9]+")


class Lack(NamedTuple):
    """A library that is missing or too old."""

    name: str
    least: str
    """The oldest version that will do."""
    found: str | None
    """The version that is installed."""

    def __str__(self) -> str:
        if self.found is None:
            return self.name
        return f"{self.name} {self.least} or newer (found {self.found})"


def lacks(extra: Extra) -> list[Lack]:
    """Return what is missing of an extra."""
    return [lack for lack in _wanted(extra) if _is_lacking(lack)]


def _wanted(extra: Extra) -> Iterator[Lack]:
    from importlib.metadata import PackageNotFoundError, requires  # half of what starting takes

    try:
        lines = requires("wireproof") or []
    except PackageNotFoundError:  # run from its sources: there is no table
        return
    for line in lines:
        if (found := REQUIREMENT.fullmatch(line)) and found[3] == extra:
            yield Lack(found[1], found[2], _installed(found[1]))


def _installed(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _is_lacking(lack: Lack) -> bool:
    return lack.found is None or _numbers(lack.found) < _numbers(lack.least)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in NUMBER.findall(text)]
