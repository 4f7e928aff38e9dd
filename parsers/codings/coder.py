"""What every coder does: bounded pieces, up to damage, and a fault where it stops.

Strategy: a coder gives what its input holds at once, up to the last flush, so that an event shows
with the packet that completed it. Input goes in by small steps, since zlib and gzip hand back what
they did not use as a copy.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain
from typing import ClassVar

from ..limits import CODER_COST

Fault = tuple[str, str]
"""A diagnostic's code and its detail."""

INPUT_STEP = 16 * 1024
"""Bytes that a coder takes at once: what it hands back of them is copied for each piece."""


class Coder(ABC):
    """Undoes one coding. Once stopped, by a fault, it gives nothing more."""

    damage: ClassVar[type[Exception]]
    """What its library raises where the content is damaged."""

    def __init__(self, name: str, faults: list[Fault]) -> None:
        self.decoded = 0
        """Bytes that it gave."""
        self.stopped = False
        """Whether it gives nothing more."""
        self._name = name
        self._faults = faults
        self._begun = False
        self.window = 0
        """The bytes of its window, where that is declared and larger than zlib's."""

    @property
    def held(self) -> int:
        """The bytes charged for it."""
        return CODER_COST

    def receive_data(self, data: bytes) -> Iterator[bytes]:
        """Yield what ``data`` decodes to, in pieces of at most MAX_DECODED_STEP bytes."""
        self._begun = self._begun or bool(data)
        for start in range(0, len(data), INPUT_STEP):
            if self.stopped:
                return
            try:
                yield from self._decode(data[start : start + INPUT_STEP])
            except self.damage as error:
                self.stop("content-coding-damaged", str(error))

    def finish(self) -> None:
        """Note a fault if the content ends inside its coding."""
        if self._begun and not self._at_end():
            self.stop("content-coding-cut", f"after {self.decoded:,} decoded bytes")

    def stop(self, code: str, detail: str) -> None:
        """Note a fault, and give nothing more."""
        self._faults.append((code, f"{self._name}: {detail}"))
        self.stopped = True

    @abstractmethod
    def _decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what at most INPUT_STEP bytes decode to; may raise the library's error."""

    @abstractmethod
    def _at_end(self) -> bool:
        """Say whether the content may end here."""


def up_to_damage(
    decode: Callable[[bytes], Iterator[bytes]], data: bytes, damage: type[Exception]
) -> Iterator[bytes]:
    """Yield what ``data`` decodes to, byte by byte, up to where ``damage`` is raised, as it is."""
    bytewise = (data[place : place + 1] for place in range(len(data)))
    with suppress(damage):
        yield from chain.from_iterable(map(decode, bytewise))


def without(length: int, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield pieces without their first ``length`` bytes."""
    for piece in pieces:
        if left := piece[length:]:
            yield left
        length = max(length - len(piece), 0)
