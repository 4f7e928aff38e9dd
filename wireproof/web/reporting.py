"""What ``wireproof report`` does: a capture in, a page out.

Strategy: secrets are found in a first pass over the file, and masked in the packets before a second
pass looks at them; the page shows what was decoded of those. So a secret is in no header, no body,
no event and no byte of it, by whatever way the page gets there.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from parsers import KeyLog, Packet

from ..analysis.exchange_filter import EVERYTHING, ExchangeFilter
from ..analysis.selection import Wanted
from ..output import open_stream
from ..redact import Policy, Report, Rules
from ..redact.capture import find_in_frames, from_its_beginning, open_to_mask
from ..tasks.chosen import choosing_first
from ..tasks.decode import check_output
from ..text.progress import shown
from .bundles import workers_for
from .feed import FileFeed
from .index import Index
from .report import write_report


@dataclass
class Reported:
    """What became of a capture."""

    report: Report
    packets: int
    exchanges: int
    held: int
    """Packets that the page has."""
    masked: int
    """Of these, the ones in which something was masked."""
    not_looked_into: Mapping[str, int]
    """Packets that stay as they are, for they are encrypted, by what encrypts them."""


def report_capture(
    source: str,
    output: str,
    policy: Policy | Rules,
    say: Callable[[str], object],
    wanted: ExchangeFilter = EVERYTHING,
    *,
    choice: Wanted | None = None,
    name: str | None = None,
    keylog: KeyLog | None = None,
) -> Reported:
    """Write the report of the exchanges of the capture ``source`` that are wanted to ``output``.

    ``choice`` says which these are, if it is known; ``name`` what the capture is called. TLS is
    decrypted, with ``keylog`` and the keys in the file, if nothing is to be masked: masks are put
    over bytes of packets, and what they carry encrypted has none.

    ``say`` takes what a user should know. Raises OSError for what cannot be read or written,
    ValueError for what is no capture, for standard input, and for an output that is the input.
    """
    check_output(source, output)
    rules = Rules.of(policy)
    with ExitStack() as stack:
        stream = open_to_mask(source, stack)
        masks = find_in_frames(stream, rules)
        gc.collect()  # connections refer to one another, and the second pass has as many
        changed = masks.changed

        def masked(packet: Packet) -> Packet:
            return (*packet[:4], masks.masked(packet)) if packet[0] in changed else packet

        stream = from_its_beginning(stream)
        if choice is None:
            stream, choice = choosing_first(stream, wanted, stack, keylog)
        name = name or Path(source).name
        index = stack.enter_context(closing(Index(name, policy=rules.policy, wanted=choice)))
        with shown(stream, "reading") as watched:
            decrypts = rules.policy == "none"
            FileFeed(index, watched, masked, keylog, decrypts=decrypts).read_all()
        gc.collect()  # as before: what has been decoded makes room for what is written
        with ExitStack() as writing, _progress() as tell:
            # A file of its owner's: it holds whatever was sent.
            stream_out = open_stream(output, writing)
            write_report(index, stream_out, tell, workers_for(index))
        packets = len(index.tracer.table)
        held = packets if index.held is None else index.held.packets
        masked_here = sum(map(index.holds, changed))
        return Reported(
            masks.report, packets, index.order.exchanges, held, masked_here, masks.not_looked_into
        )


@contextmanager
def _progress() -> Iterator[Callable[[int], object]]:
    """Count parts of the file on a terminal; without a thread, beside which one should not fork."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress, TextColumn

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.completed:,} parts"), console=console, transient=True, auto_refresh=False
    ) as bar:
        task = bar.add_task("")
        yield lambda done: bar.update(task, completed=done, refresh=True)
