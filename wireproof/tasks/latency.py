"""What ``wireproof latency`` measures: the answers of a capture, by one process or several."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

from parsers import KeyLog, Memory

from ..analysis.judges import Explained
from ..analysis.latency.report import LatencyReport, Measured, chosen
from .several import jobs_for
from .sources import TO_JUDGE, Say, reading

DOING = "measuring"
"""What the progress bar says."""


def measuring(
    source: str, report: LatencyReport, keylog: KeyLog | None, jobs: int, say: Say
) -> Generator[Measured, None, None]:
    """Yield the answers of a capture that streamed, as ``report`` measures them.

    Up to ``jobs`` processes read it. Raises UnreadableSource and WorkerDied.
    """

    def alone() -> Generator[Explained, None, None]:
        with reading(source, DOING, say, keylog=keylog, wants=TO_JUDGE) as batches:
            yield from chosen(batches, report.wanted)

    workers = jobs_for([source], jobs, say, divides=True)
    if workers == 1:
        with closing(alone()) as explained:
            yield from report.measured(explained)
        return
    from ..analysis.elsewhere import ToldExplanations
    from .judging import Telling, judged_together

    telling = Telling(
        workers, keylog=keylog, memory=Memory.usual, wants=TO_JUDGE, wanted=report.wanted
    )
    taker = ToldExplanations(report.wanted)
    with closing(judged_together(source, telling, taker, alone, DOING, say)) as explained:
        yield from report.measured(explained)
