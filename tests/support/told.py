"""What came of a capture's exchanges, told by shares of it that are folded one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from itertools import islice

from msgspec.structs import replace

from parsers import Indivisible, decode_batches, divided
from wireproof.analysis.elsewhere import ToldOutcomes
from wireproof.analysis.exchange_filter import EVERYTHING, ExchangeFilter
from wireproof.analysis.outcomes import Outcome, outcomes
from wireproof.tasks.jobs import Part, merged
from wireproof.tasks.judging import Telling, told
from wireproof.tasks.sources import TO_JUDGE


def alone(
    data: bytes, wanted: ExchangeFilter = EVERYTHING, *, with_ids: bool = False
) -> list[Outcome]:
    """The outcomes of one process."""
    batches = decode_batches(BytesIO(data), shows_records=True, wants=TO_JUDGE)
    return list(outcomes(batches, wanted, with_ids=with_ids))


def together(
    data: bytes,
    workers: int,
    wanted: ExchangeFilter = EVERYTHING,
    *,
    with_ids: bool = False,
    before: list[Outcome] | None = None,
) -> list[Outcome]:
    """The outcomes of so many workers, begun again where the capture cannot be divided.

    Raises Indivisible where one process has to judge; ``before`` has what came until then.
    """
    task = Telling(workers, shows_records=True, wants=TO_JUDGE, wanted=wanted, with_ids=with_ids)
    judged = ToldOutcomes(wanted, with_ids=with_ids)
    found: list[Outcome] = [] if before is None else before

    def take(batches: Iterable[tuple[Part, ...]]) -> Indivisible | None:
        """Take what all have of each batch; return what keeps them from having more."""
        following = iter(batches)
        while True:
            try:
                parts = next(following, None)
            except Indivisible as why:
                return why
            if parts is None:
                return None
            taken.append(len(parts))
            pieces, _ = merged([(part, part.data) for part in parts])
            found.extend(judged.take(told(pieces)))

    taken: list[int] = []
    shares = [
        task.parts(
            share, BytesIO(data), (all_told[share] for all_told in divided(BytesIO(data), workers))
        )
        for share in range(workers)
    ]
    why = take(zip(*shares, strict=True))
    if why is not None:
        whole = replace(task, is_divided=False, workers=1 if why.is_for_one else workers)
        rest = [whole.parts(share, BytesIO(data)) for share in range(whole.workers)]
        again = take(islice(zip(*rest, strict=True), len(taken), None))
        assert again is None
    found.extend(judged.finish())
    return found
