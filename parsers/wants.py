"""What is asked for of a capture's records: what nobody wants is not made.

Strategy: whoever makes records by the hundred thousand asks first. The rarer ones are made, and
dropped where a batch is done (:meth:`~parsers.decode.packets.PacketDecoder.receive`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from msgspec import Struct
from msgspec.structs import replace

from .records import Record, Sender

KINDS: Mapping[str, type[Record]] = {kind.record: kind for kind in get_args(Record)}
"""Every kind of record by its name."""


class Wants(Struct, frozen=True, gc=False):
    """Which records are wanted, and what of them."""

    kinds: frozenset[type[Record]] | None = None
    """None: all."""
    digests: bool = True
    """Whether bodies have a ``sha256``; else that is empty."""
    request_digests: bool = False
    """Whether those of requests have one nevertheless: by it the legs of a proxy are known."""
    contents: bool = True
    """Whether codings of bodies that hold no elements are undone: else nobody knows how large these
    are, and whether they are damaged."""
    opened: bool = True
    """Whether TLS records have rows, where TLS records have them, though their content is read:
    else only those below a tunnel do, which belong to its exchange."""

    peers: bool = False
    """Whether requests say who asked whom: else only the record of their connection does, which
    comes when that has ended."""

    def digests_of(self, sender: Sender) -> bool:
        """Whether bodies of a side have a ``sha256``."""
        return self.digests or (self.request_digests and sender == "client")

    def takes(self, kind: type[Record]) -> bool:
        """Whether records of a kind are wanted."""
        return self.kinds is None or kind in self.kinds

    def also(self, kind: type[Record]) -> Wants:
        """Return the same with one more kind."""
        return self if self.kinds is None else replace(self, kinds=self.kinds | {kind})

    def of(self, records: list[Record]) -> list[Record]:
        """Return those of ``records`` that are wanted."""
        kinds = self.kinds
        return records if kinds is None else [one for one in records if type(one) in kinds]


EVERYTHING = Wants()
