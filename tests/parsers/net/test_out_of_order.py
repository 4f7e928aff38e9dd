"""The out-of-order queue: Linux's rules, one by one, and the shape of Linux's tree."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers import limits
from parsers.net.out_of_order import Block, OutOfOrderQueue, Tree
from parsers.net.overlap import Piece


def piece(start: int, data: bytes, fin: bool = False) -> Piece:
    return Piece(start, data, 1, 0, 0, fin)


def taken(*pieces: Piece, offset: int = 0) -> bytes:
    """What comes out when the hole before ``offset`` has been filled."""
    queue = OutOfOrderQueue()
    for item in pieces:
        queue.insert(item)
    return b"".join(item.data for item in queue.take(offset))


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        pytest.param([(0, b"abc"), (3, b"def")], b"abcdef", id="neighbours"),
        pytest.param([(3, b"def"), (0, b"abc")], b"abcdef", id="neighbours-reversed"),
        pytest.param([(0, b"abc"), (5, b"xyz")], b"abc", id="a-second-hole-stays"),
        pytest.param([(0, b"abcd"), (1, b"XX")], b"abcd", id="inside-is-dropped"),
        pytest.param([(0, b"abcd"), (0, b"XXXX")], b"abcd", id="same-is-dropped"),
        pytest.param([(0, b"ab"), (0, b"XXXX")], b"XXXX", id="same-start-longer-replaces"),
        pytest.param([(1, b"bc"), (0, b"XXXX")], b"XXXX", id="covering-removes"),
        pytest.param([(2, b"cd"), (0, b"XXX")], b"XXXd", id="earlier-start-wins"),
        pytest.param([(0, b"abcd"), (2, b"XXXX")], b"abcdXX", id="tail-overlap-keeps-first"),
        pytest.param(
            [(0, b"ab"), (2, b"cd"), (2, b"XXXX")], b"abcdXX", id="inside-a-merged-block-loses"
        ),
        pytest.param([(0, b"a"), (2, b"c"), (0, b"xyz")], b"xyz", id="spans-two"),
        pytest.param([(2, b"cd"), (0, b"ab"), (0, b"abcd")], b"abcd", id="the-same-in-one-piece"),
    ],
)
def test_overlaps_are_resolved_as_linux_does(
    pieces: list[tuple[int, bytes]], expected: bytes
) -> None:
    assert taken(*(piece(start, data) for start, data in pieces)) == expected


def test_taking_trims_what_is_in_order_already() -> None:
    assert taken(piece(0, b"abcdef"), offset=4) == b"ef"
    assert taken(piece(0, b"abc"), offset=3) == b""


def test_a_piece_that_adds_nothing_is_refused() -> None:
    queue = OutOfOrderQueue()
    assert queue.insert(piece(5, b"abc"))
    assert not queue.insert(piece(6, b"b"))
    assert (queue.size, queue.segments, queue.start) == (3, 1, 5)


def test_the_count_follows_what_waits() -> None:
    queue = OutOfOrderQueue()
    assert not queue
    queue.insert(piece(5, b"abc"))
    queue.insert(piece(10, b"abc"))
    queue.insert(piece(4, b"0123456789"))
    assert (queue.size, queue.segments) == (10, 1)
    list(queue.take(4))
    assert (queue.size, queue.segments, bool(queue)) == (0, 0, False)


def test_it_is_full_by_bytes_or_by_segments() -> None:
    queue = OutOfOrderQueue()
    queue.insert(piece(1, bytes(limits.MAX_OUT_OF_ORDER)))
    assert not queue.is_full
    queue.insert(piece(2 * limits.MAX_OUT_OF_ORDER, b"x"))
    assert queue.is_full
    small = OutOfOrderQueue()
    for index in range(limits.MAX_OUT_OF_ORDER_SEGMENTS + 1):
        small.insert(piece(1 + 2 * index, b"x"))
    assert small.is_full


@given(st.permutations(range(12)), st.lists(st.integers(1, 5), min_size=12, max_size=12))
def test_any_order_gives_the_stream(order: list[int], lengths: list[int]) -> None:
    starts = [sum(lengths[:index]) for index in range(12)]
    stream = bytes(range(sum(lengths)))
    pieces = [
        piece(starts[index], stream[starts[index] : starts[index] + lengths[index]])
        for index in order
    ]
    assert taken(*pieces) == stream


def test_overlapping_finds_waiting_pieces() -> None:
    queue = OutOfOrderQueue()
    for start in (2, 4, 8):
        queue.insert(piece(start, b"ab"))
    assert [item.start for item in queue.overlapping(3, 9)] == [2, 4, 8]
    assert [item.start for item in queue.overlapping(6, 8)] == []
    assert [item.start for item in queue.overlapping(2, 4)] == [2]


def test_a_fin_takes_a_place_of_its_own() -> None:
    queue = OutOfOrderQueue()
    assert queue.insert(piece(2, b"cd"))
    assert queue.insert(piece(3, b"d", fin=True)), "it reaches further than what waits"
    assert not queue.insert(piece(3, b"d", fin=True))
    assert queue.insert(piece(0, b"abcde")), "of two versions of the end one comes first"
    found = list(queue.take(0))
    assert b"".join(item.data for item in found) == b"abcde"
    assert not any(item.fin for item in found)


def test_bytes_that_wait_are_their_first_packet_s() -> None:
    """However often they come again, alone or in longer segments."""
    queue = OutOfOrderQueue()
    for packet, (start, data) in enumerate(
        [(10, b"abc"), (15, b"fg"), (5, b"vwxyz"), (10, b"abc"), (9, b"zabcdeFg"), (10, b"abcd")]
    ):
        queue.insert(Piece(start, data, packet, 0, 0))
    found = [(item.start, item.data, item.packet) for item in queue.take(5)]
    assert found[:2] == [(5, b"vwxyz", 2), (10, b"abc", 0)]
    assert found[2:] == [(13, b"deFg", 4)], "what disagrees is its own"


def test_clearing_forgets_all() -> None:
    queue = OutOfOrderQueue()
    queue.insert(piece(2, b"cd"))
    queue.insert(piece(8, b"xy"))
    queue.clear()
    assert (queue.size, queue.segments, bool(queue)) == (0, 0, False)
    assert queue.insert(piece(8, b"xy"))
    assert list(queue.take(8)) == [piece(8, b"xy")]


def test_only_what_lies_on_the_way_is_compared() -> None:
    """Linux's way: 30 ends what begins at 22, though what begins at 25 reaches over it."""
    pieces = [(25, b"AAAAAA"), (15, b"BBBBBBBB"), (22, b"DDDDDDDD"), (30, b"EEEE"), (1, b"f" * 24)]
    assert taken(*(piece(*item) for item in pieces), offset=1) == b"f" * 24 + b"DDDDDEEEE"


# --- the tree ---


def in_order(block: Block | None) -> Iterator[Block]:
    if block is not None:
        yield from in_order(block.left)
        yield block
        yield from in_order(block.right)


def black_height(block: Block | None) -> int:
    """How many black blocks each way down has; the rules of a red-black tree hold."""
    if block is None:
        return 1
    for child in (block.left, block.right):
        assert child is None or child.parent is block
        assert child is None or not (block.is_red and child.is_red)
    left, right = black_height(block.left), black_height(block.right)
    assert left == right
    return left + (not block.is_red)


@pytest.mark.parametrize("seed", range(20))
def test_the_tree_is_balanced_and_in_order(seed: int) -> None:
    seeded = Random(seed)
    tree = Tree()
    held: list[Block] = []
    for _ in range(300):
        if held and seeded.random() < 0.45:
            tree.remove(held.pop(seeded.randrange(len(held))))
        elif held and seeded.random() < 0.1:
            index = seeded.randrange(len(held))
            new = Block([piece(held[index].start, b"longer")])
            tree.replace(held[index], new)
            held[index] = new
        else:
            block = Block([piece(seeded.randrange(10_000), b"x")])
            parent, at = None, tree.root
            while at is not None:
                parent, at = at, at.left if block.start < at.start else at.right
            tree.insert(block, parent, parent is not None and block.start < parent.start)
            held.append(block)
        black_height(tree.root)
        assert tree.root is None or not tree.root.is_red
        found = list(in_order(tree.root))
        assert sorted(map(id, found)) == sorted(map(id, held))
        assert [one.start for one in found] == sorted(one.start for one in held)
