"""Labelled captures: what really happened in each, as the app and the client logged it.

A truth is a file NAME.truth.json beside its captures. Its fields: ``family`` and ``kind`` of the
case, its real ``cause``, the ``components`` that made it, the ``ports`` of its legs, ``expected``
(what may be told from the client's leg: an answer, causes, numbers), the logs, and ``files``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from wireproof import decode
from wireproof.analysis.judges import Explained, explain
from wireproof.analysis.verdict import Question, Verdict

SUFFIX = ".truth.json"
CLIENT_PORTS = ("client_leg", "client")
"""What the port is called in ``ports`` that the client spoke to."""


class Truth(NamedTuple):
    """One case."""

    name: str
    family: str
    kind: str
    cause: str
    expected: Mapping[str, Any]
    files: tuple[Path, ...]
    said: Mapping[str, Any]
    """All that its file says, the logs included."""

    @property
    def client_file(self) -> Path:
        """The capture at the client, or the only one."""
        return next((path for path in self.files if ".client." in path.name), self.files[0])

    @property
    def client_port(self) -> int | None:
        """The port that the client spoke to, of the first hop."""
        ports = self.said.get("ports", {})
        return next((ports[name] for name in CLIENT_PORTS if name in ports), None)


def read_truths(folder: Path) -> list[Truth]:
    """Return the cases of a folder by name."""
    return [_read(path) for path in sorted(folder.glob(f"*{SUFFIX}"))]


def _read(path: Path) -> Truth:
    said = json.loads(path.read_text())
    files = tuple(path.with_name(name) for name in said["files"])
    name = path.name.removesuffix(SUFFIX)
    return Truth(name, said["family"], said["kind"], said["cause"], said["expected"], files, said)


@cache
def explained(path: Path) -> tuple[Explained, ...]:
    """Return the exchanges of a capture with what is said of them, in their order."""
    return tuple(sorted(explain(decode(path)), key=lambda one: one.exchange.number))


def client_leg(truth: Truth, path: Path | None = None) -> list[Explained]:
    """Return the exchanges that the client took part in."""
    found = explained(path or truth.client_file)
    wanted = f":{truth.client_port}"
    chosen = [one for one in found if _server(one).endswith(wanted)]
    return chosen or list(found)


def _server(one: Explained) -> str:
    connection = one.exchange.connection
    return connection.server if connection else ""


def verdicts_on(question: Question, exchanges: list[Explained]) -> Iterator[Verdict]:
    """Yield the answers to a question, exchange by exchange."""
    verdicts = (verdict for one in exchanges for verdict in one.verdicts)
    return (verdict for verdict in verdicts if verdict.question == question)
