"""Connections that hold no exchange that can be read: told to the user, once, when all is decoded.

Without a word about them a capture of nothing but TLS looks as if nothing were wrong with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from parsers.records import ConnectionRecord, Record

from ..text.wording import count

REASONS = {
    "tls": "of TLS, which is not decrypted: name its keys with --keylog, or record where it is"
    " plain",
    "quic": "of QUIC, which is not decrypted: its keys are wanted (--keylog)",
    "refused": "refused: is the server up, and is this its port?",
}
"""What is said of connections, by their protocol, or by how they ended."""


def noting_unread(batches: Iterable[list[Record]], found: Counter[str]) -> Iterator[list[Record]]:
    """Yield batches; count the connections that hold nothing to read, by their reason."""
    for records in batches:
        for record in records:
            if type(record) is ConnectionRecord:
                found[_reason(record)] += 1
        yield records


def unread(found: Counter[str]) -> Iterator[str]:
    """Yield a sentence for each reason that was found."""
    for reason, said in REASONS.items():
        if found[reason]:
            yield f"{count(found[reason], 'connection')} {said}"


def _reason(connection: ConnectionRecord) -> str:
    return "refused" if connection.close == "refused" else connection.protocol
