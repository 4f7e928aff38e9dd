"""What holds of every decoder of elements in a body, whatever was sent and however it was cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random

from parsers.diagnostics import Diagnostic
from parsers.provenance import Decoder, Ending, Event

from .cuts import at, byte_by_byte, events
from .damage import damaged

Make = Callable[[], Decoder]


def codes(found: Iterable[Event]) -> list[str]:
    """The codes of the diagnostics among events."""
    return [item.code for item in found if isinstance(item, Diagnostic)]


def check_cuts(make: Make, data: bytes) -> list[Event]:
    """Return the events of ``data``, having seen that they do not depend on the cut."""
    expected = events(make(), data)
    assert events(make(), data, byte_by_byte) == expected
    for cut in range(1, len(data)):
        assert events(make(), data, at([cut])) == expected, cut
    return expected


def check_damage(make: Make, data: bytes, seed: int) -> None:
    """Damage ``data``, lose some of it, and see that events stay in place and independent."""
    seeded = Random(seed)
    pieces = [damaged(data, seeded) for _ in range(2)]
    gap = seeded.choice([0, 0, 1, 7, len(data)])
    endings: tuple[Ending, ...] = ("close", "reset", "capture-end")
    ending = seeded.choice(endings)
    every = [seeded.randint(1, 9) for _ in range(2)]
    whole = _run(make(), pieces, gap, ending, [len(piece) or 1 for piece in pieces])
    assert _run(make(), pieces, gap, ending, every) == whole
    end = sum(map(len, pieces)) + gap
    assert all(0 <= event.start <= event.end <= end for event in whole)


def _run(
    decoder: Decoder, pieces: list[bytes], gap: int, ending: Ending, steps: list[int]
) -> list[Event]:
    found: list[Event] = []
    received = 0
    for number, (piece, step) in enumerate(zip(pieces, steps, strict=True)):
        if number and gap:
            found += decoder.receive_gap(gap)
            received += gap
        for start in range(0, len(piece), step):
            data = piece[start : start + step]
            found += decoder.receive_data(data)
            received += len(data)
            assert all(0 <= offset <= received for offset in decoder.open_offsets)
    return found + decoder.receive_eof(ending)
