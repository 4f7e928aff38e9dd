"""By what rule a hop let go of what it held.

Strategy: each mechanism leaves a trace in when and how much was let go of. A buffer lets go of as
many bytes as it has room for, wherever that cuts an element; a batch lets go with the arrival of
its last element; a timer lets go at times that have nothing to do with arrivals; what collects lets
go when its source ends. Numbers are compared by medians, for a machine under load is late once in a
while, and the last flush is left out, for the end drives it.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from math import ceil
from statistics import median
from typing import Literal, NamedTuple

from .clocks import AT_ONCE
from .flow import Flow
from .passage import APART, TOGETHER, Flush, Passage

Pattern = Literal[
    "until-end", "size", "timer", "every-second", "every-k", "one-behind", "fixed", "irregular"
]
MOST = 0.8
"""The part of flushes that must follow a rule, so that it is one."""
MANY = 0.5
"""The part of flushes that must have one size where each leaves with the coming of its last
element: a batch of reads has another size where a read brought two elements, or a half. And the
part of them that leave others inside where each waits for itself."""
SOME = 0.25
"""The part of elements that are held back from which on holding is what a hop does: of pairs it
holds every other one. Fewer are accidents, unless they waited long."""
LONG = 0.2
"""Seconds that an accident takes at least: a hop was at a standstill."""
STEADY = 0.1
"""How far numbers are from their median, as a part of it, if a timer makes them: by the median of
their distances."""
CORK = 0.194, 0.218
"""Seconds that Linux keeps data that more was announced for (MSG_MORE, TCP_CORK): 200 ms, rounded
to the timer's wheel, which has a tick of 4 ms and more."""
CORK_STEADY = 0.05
"""The same for that timer, which has a wheel of its own."""
PROMPT = 0.001
"""Seconds within which a hop passes on what makes a batch whole."""
LEAST_STEP = 512
"""Bytes: the smallest buffer that one would make."""


class Held(NamedTuple):
    """A rule, and its numbers."""

    pattern: Pattern
    elements: int
    """How many were held."""
    flushes: int
    """How often the hop let go."""
    bytes: int
    """The most that it held at once, of content."""
    seconds: float
    """The longest that it held one."""
    period: float | None = None
    """Seconds between two flushes of a timer; or how long each waits, if all wait alike."""
    step: int | None = None
    """Bytes of a flush, if a number of them lets go."""
    batch: int | None = None
    """Elements of a flush, if a number of them lets go."""
    is_cork: bool = False
    """Whether the time is that of Linux's cork."""
    places: tuple[int, ...] = ()
    """The pairs that waited longest."""


def held(passage: Passage, head_added: float | None = None) -> Held | None:
    """Return by what rule a hop held elements, None if it passed them on.

    ``head_added`` is how long the head of the message took, in seconds, if it left with the first
    element. What the way takes is no hop's doing.
    """
    if not len(passage):
        return None
    excess = sorted(_undriven(passage))
    middle = median(excess)
    late = passage.held_back()
    waited = [passage.excess(one) for one in late]
    if late and _is_one_behind(passage):
        step = _step(passage)
        if step is not None:
            return _made(passage, "size", late, step=step)
        return _made(
            passage, "one-behind", late, period=middle if _is_even(excess, middle) else None
        )
    if middle >= AT_ONCE and (_is_even(excess, middle) or _is_even_alone(passage, excess)):
        seconds = median(passage.added)
        is_cork = CORK[0] <= middle <= CORK[1]
        every = [*range(len(passage))]
        return _made(passage, "fixed", every, period=seconds, is_cork=is_cork)
    if not late or not _is_rule(passage, late, waited):
        slow = [one for one in range(len(passage)) if passage.excess(one) >= AT_ONCE]
        return _made(passage, "irregular", slow) if middle >= AT_ONCE else None
    return _by_rule(passage, late, head_added)


def _is_rule(passage: Passage, late: Sequence[int], waited: Sequence[float]) -> bool:
    """Whether holding is what the hop does: often, or for long."""
    if max(waited) >= LONG:
        return True
    often = len(late) >= SOME * len(passage.waits())
    return often and (max(waited) >= AT_ONCE or _batch(passage) is not None)


def _by_rule(passage: Passage, late: Sequence[int], head_added: float | None) -> Held:
    last = passage.flushes[-1]
    if last.size >= MOST * len(passage) and last.time >= passage.came[-1] - TOGETHER:
        return _made(passage, "until-end", late)
    step = _step(passage)
    if step is not None:
        return _made(passage, "size", late, step=step)
    batch = _batch(passage)
    is_often = len(late) >= SOME * len(passage.waits())
    holding = _holding(passage, late)
    longest = _longest(passage, holding, head_added)
    if is_often and _is_cork(longest) and not (batch and _is_prompt(passage)):
        period = median(longest)
        return _made(passage, "timer", late, period=period, batch=batch, is_cork=True)
    if batch is not None:
        name: Pattern = "every-second" if batch == 2 else "every-k"
        return _made(passage, name, late, batch=batch)
    if is_often and not _is_prompt(passage) and not _leaves_some(passage):
        for times in (_between(holding), longest):
            if len(times) > 1 and _deviation(times) <= STEADY:
                period, batch = median(times), _usual_size(passage)
                return _made(passage, "timer", late, period=period, batch=batch)
    return _made(passage, "irregular", late)


def _is_cork(longest: Sequence[float]) -> bool:
    return CORK[0] <= median(longest) <= CORK[1] and _deviation(longest) <= CORK_STEADY


def _made(
    passage: Passage,
    pattern: Pattern,
    late: Sequence[int],
    *,
    period: float | None = None,
    step: int | None = None,
    batch: int | None = None,
    is_cork: bool = False,
) -> Held:
    added = passage.added
    places = sorted(sorted(late, key=added.__getitem__)[-4:])
    seconds = max(passage.excess(one) for one in late)
    return Held(
        pattern,
        len(late),
        len(passage.flushes),
        _most_inside(passage),
        seconds,
        period,
        step,
        batch,
        is_cork,
        tuple(places),
    )


def _most_inside(passage: Passage) -> int:
    """Return the most bytes that had come and not left, at any time."""
    sizes = [passage.source.sizes[origin] for origin in passage.origins]
    most = inside = gone = 0
    for at, came in enumerate(passage.came):
        while gone < at and passage.left[gone] <= came:
            inside -= sizes[gone]
            gone += 1
        inside += sizes[at]
        most = max(most, inside)
    return most


def _undriven(passage: Passage) -> list[float]:
    """Return what elements waited but for those that came with the end, which drives them out."""
    last = passage.came[-1] - APART
    found = [passage.excess(one) for one, came in enumerate(passage.came) if came < last]
    return found or [passage.excess(one) for one in range(len(passage))]


def _is_even(excess: Sequence[float], middle: float) -> bool:
    """Whether times are alike: as far apart as the ways of a busy machine."""
    near = max(AT_ONCE / 4, STEADY * middle)
    return sum(abs(one - middle) <= near for one in excess) >= MOST * len(excess)


def _is_even_alone(passage: Passage, excess: Sequence[float]) -> bool:
    """Whether each waits for itself, and as long: but for some for which a machine was too busy."""
    return _leaves_some(passage) and _deviation(excess) <= STEADY


def _leaves_some(passage: Passage) -> bool:
    """Whether what leaves mostly leaves others inside, which had come: a timer lets go of all."""
    inner = passage.flushes[:-1]
    came, late = passage.came, passage.network - APART - passage.slack
    left = sum(came[flush.end] < flush.time + late for flush in inner)
    return bool(inner) and left >= MANY * len(inner)


def _is_one_behind(passage: Passage) -> bool:
    """Whether each element leaves when the next one comes.

    Then what it waits varies as the times between elements do, and the time from the next one's
    coming to its leaving does not.
    """
    came, left, way = passage.came, passage.left, passage.network
    judged = [one for one in range(len(came) - 1) if came[one + 1] - came[one] >= APART]
    alone = sum(flush.size == 1 for flush in passage.flushes)
    if len(judged) < 3 or alone < MOST * len(passage.flushes):
        return False
    after = [left[one] - way - came[one + 1] for one in judged]
    waited = [passage.excess(one) for one in judged]
    if median(waited) < AT_ONCE / 4:
        return False
    soon = _soon(passage)
    if abs(median(after)) <= soon:
        return _spread(after) <= _spread(waited) + APART / 4
    return abs(median(after)) <= soon + passage.slack and 3 * _spread(after) <= _spread(waited)


def _soon(passage: Passage) -> float:
    """Return within what time of an arrival a flush is caused by it, in seconds.

    A busy machine takes some milliseconds; where elements come quicker, any time is near one.
    """
    return min(2 * TOGETHER, median(passage.waits()) / 4)


def _spread(numbers: Sequence[float]) -> float:
    """Return the median distance from the median."""
    middle = median(numbers)
    return median([abs(number - middle) for number in numbers])


def _step(passage: Passage) -> int | None:
    """Return the bytes after which a buffer was full, None if flushes show none.

    The last flush is what was left, and before the first one the head of the source's message may
    have had its place in the buffer. A source that sends such pieces itself fills no buffer.
    """
    sizes, sent = _flush_sizes(passage.target), _flush_sizes(passage.source)
    step = _alike(sizes, passage.source.head)
    return None if step is None or step == _alike(sent, 0) else step


def _alike(sizes: Sequence[int], head: int) -> int | None:
    """Return the greatest power of two, from LEAST_STEP on, of which most sizes are multiples."""
    alignments = [_alignment(size) for size in sizes[1:-1]]
    if len(sizes) > 1:
        first = max(_alignment(sizes[0]), _alignment(sizes[0] + head))
        alignments += [first] if first >= LEAST_STEP or len(sizes) < 4 else []
    if not alignments:
        return None
    alignments.sort()
    step = alignments[len(alignments) - ceil(MOST * len(alignments))]
    return step if step >= LEAST_STEP else None


def _alignment(size: int) -> int:
    """Return the greatest power of two that divides a size."""
    return size & -size


def _flush_sizes(target: Flow) -> list[int]:
    """Return the bytes of each flush, by chunks and runs."""
    sizes: list[int] = []
    before = float("-inf")
    for time, size in zip(target.piece_times, target.piece_sizes, strict=True):
        if time - before >= TOGETHER:
            sizes.append(0)
        sizes[-1] += size
        before = time
    return sizes


def _usual_size(passage: Passage) -> int | None:
    """Return how many elements half the flushes have, None if they differ or have one each."""
    flushes = passage.flushes[:-1]
    if not flushes:
        return None
    size, number = Counter(flush.size for flush in flushes).most_common(1)[0]
    return size if size > 1 and number >= MANY * len(flushes) else None


def _batch(passage: Passage) -> int | None:
    """Return how many elements let go of a batch, None if it is no batch that holds them."""
    flushes = passage.flushes[:-1]
    if len(flushes) < 3:
        return None
    size, number = Counter(flush.size for flush in flushes).most_common(1)[0]
    if size < 2 or number < (MANY if _is_prompt(passage) else MOST) * len(flushes):
        return None
    quick = median([passage.excess(flush.end - 1) for flush in flushes])
    return size if quick <= min(_soon(passage), TOGETHER) + passage.slack else None


def _is_prompt(passage: Passage) -> bool:
    """Whether flushes leave with the coming of their last element: no timer hits that moment."""
    flushes = passage.flushes[:-1]
    prompt = sum(passage.excess(flush.end - 1) <= PROMPT for flush in flushes)
    return passage.slack <= PROMPT and prompt >= MOST * len(flushes)


def _holding(passage: Passage, late: Sequence[int]) -> list[Flush]:
    """Return the flushes with elements that were held back, but for the one that the end drove."""
    waited = set(late)
    inner = passage.flushes[:-1] or passage.flushes
    return [flush for flush in inner if not waited.isdisjoint(range(flush.first, flush.end))]


def _longest(passage: Passage, holding: Sequence[Flush], head_added: float | None) -> list[float]:
    """Return how long the first element of each flush waited; for the first flush its head."""
    found = [passage.excess(flush.first) for flush in holding]
    if head_added is not None and found:
        found[0] = max(found[0], head_added - passage.network)
    return found or [0.0]


def _between(holding: Sequence[Flush]) -> array[float]:
    times = array("d", [flush.time for flush in holding])
    return array("d", map(float.__sub__, times[1:], times))


def _deviation(numbers: Sequence[float]) -> float:
    """Return the spread as a part of the median."""
    middle = median(numbers)
    return _spread(numbers) / middle if middle else 1.0
