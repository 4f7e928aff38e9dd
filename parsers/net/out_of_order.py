"""Segments that wait behind a hole, in the blocks in which the Linux kernel keeps them.

Strategy: where overlapping segments disagree, which version of a byte an application reads depends
on more than who came first: ``tcp_data_queue_ofo`` walks down a red-black tree, and compares a new
segment with the blocks on its way, and with no others. So here is the same walk in the same tree.
The rules on it: a segment inside a block is dropped; one that begins where a block begins and is
longer replaces it; one that begins where a block ends is merged with it; else it becomes a block
of its own, and blocks after it that it covers are removed. When the hole is filled, blocks are
taken by where they begin, each without what is in order already (``tcp_ofo_queue``).

In order of their beginnings the blocks also stand in a list, for all that is not Linux's choice.
Tested beside the kernel itself with random segments.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from msgspec.structs import replace

from .. import limits
from .overlap import Piece


class Block:
    """Neighbouring pieces that wait together: a node of the tree."""

    __slots__ = ("start", "end", "pieces", "parent", "left", "right", "is_red")

    def __init__(self, pieces: list[Piece]) -> None:
        self.start = pieces[0].start
        self.end = pieces[-1].end_with_fin
        self.pieces = pieces
        self.parent: Block | None = None
        self.left: Block | None = None
        self.right: Block | None = None
        self.is_red = True

    def extend(self, pieces: list[Piece]) -> None:
        """Merge with what begins at its end.

        After a FIN too: then Linux has the data of both together, and the FIN after them.
        """
        self.end = pieces[-1].end_with_fin
        if self.pieces[-1].fin:
            self.pieces[-1] = replace(self.pieces[-1], fin=False)
            pieces = [replace(piece, start=piece.start - 1) for piece in pieces]
            pieces[-1] = replace(pieces[-1], fin=True)
        self.pieces += pieces


class Tree:
    """A red-black tree of blocks with the shape that the kernel's ``lib/rbtree.c`` gives it."""

    __slots__ = ("root",)

    def __init__(self) -> None:
        self.root: Block | None = None

    def insert(self, block: Block, parent: Block | None, to_the_left: bool) -> None:
        """Hang ``block`` below ``parent``, where it has no child, and balance."""
        block.parent = parent
        if parent is None:
            self.root = block
        elif to_the_left:
            parent.left = block
        else:
            parent.right = block
        self._balance_inserted(block)

    def replace(self, old: Block, new: Block) -> None:
        """Put ``new`` in the place of ``old``."""
        new.left, new.right, new.is_red = old.left, old.right, old.is_red
        self._put(old, new)
        for child in (new.left, new.right):
            if child is not None:
                child.parent = new

    def remove(self, block: Block) -> None:
        """Take ``block`` out and balance."""
        if block.left is None or block.right is None:
            child = block.right if block.left is None else block.left
            parent, was_red = block.parent, block.is_red
            self._put(block, child)
        else:
            heir = block.right  # the next one takes its place
            while heir.left is not None:
                heir = heir.left
            child, was_red = heir.right, heir.is_red
            parent = heir if heir.parent is block else heir.parent
            if heir.parent is not block:
                self._put(heir, child)
                heir.right = block.right
                heir.right.parent = heir
            self._put(block, heir)
            heir.left = block.left
            heir.left.parent = heir
            heir.is_red = block.is_red
        if not was_red:
            self._balance_removed(child, parent)

    def _put(self, old: Block, new: Block | None) -> None:
        """Let what is above ``old`` be above ``new``."""
        parent = old.parent
        if parent is None:
            self.root = new
        elif parent.left is old:
            parent.left = new
        else:
            parent.right = new
        if new is not None:
            new.parent = parent

    def _rotate(self, block: Block, to_the_left: bool) -> None:
        """Let the child on one side of ``block`` change places with it."""
        child = block.right if to_the_left else block.left
        assert child is not None
        self._put(block, child)
        if to_the_left:
            block.right, child.left = child.left, block
            moved = block.right
        else:
            block.left, child.right = child.right, block
            moved = block.left
        block.parent = child
        if moved is not None:
            moved.parent = block

    def _balance_inserted(self, block: Block) -> None:
        parent = block.parent
        while parent is not None and parent.is_red:
            above = parent.parent
            assert above is not None, "the root is black"
            is_left = above.left is parent
            uncle = above.right if is_left else above.left
            if uncle is not None and uncle.is_red:
                parent.is_red = uncle.is_red = False
                above.is_red = True
                block, parent = above, above.parent
                continue
            if block is (parent.right if is_left else parent.left):
                self._rotate(parent, to_the_left=is_left)
                block, parent = parent, block
            parent.is_red, above.is_red = False, True
            self._rotate(above, to_the_left=not is_left)
        assert self.root is not None
        self.root.is_red = False

    def _balance_removed(self, block: Block | None, parent: Block | None) -> None:
        """One black too few is on the way to ``block``."""
        while parent is not None and (block is None or not block.is_red):
            is_left = parent.left is block
            sibling = parent.right if is_left else parent.left
            assert sibling is not None
            if sibling.is_red:
                sibling.is_red, parent.is_red = False, True
                self._rotate(parent, to_the_left=is_left)
                sibling = parent.right if is_left else parent.left
                assert sibling is not None
            near, far = sibling.left, sibling.right
            if not is_left:
                near, far = far, near
            if not _is_red(near) and not _is_red(far):
                sibling.is_red = True
                block, parent = parent, parent.parent
                continue
            if not _is_red(far):
                assert near is not None
                near.is_red, sibling.is_red = False, True
                self._rotate(sibling, to_the_left=not is_left)
                sibling, far = near, sibling
            sibling.is_red, parent.is_red = parent.is_red, False
            assert far is not None
            far.is_red = False
            self._rotate(parent, to_the_left=is_left)
            return
        if block is not None:
            block.is_red = False


def _is_red(block: Block | None) -> bool:
    return block is not None and block.is_red


class OutOfOrderQueue:
    """What waits behind a hole. False while nothing does."""

    __slots__ = ("size", "segments", "_blocks", "_starts", "_tree", "_last")

    def __init__(self) -> None:
        self.size = 0
        self.segments = 0
        self._blocks: list[Block] = []
        self._starts: list[int] = []
        self._tree = Tree()
        self._last: Block | None = None
        """``ooo_last_skb``: where nearly every segment belongs, so that one is looked at first."""

    def __bool__(self) -> bool:
        return bool(self._blocks)

    @property
    def start(self) -> int:
        """Where the first block begins. Raises IndexError while nothing waits."""
        return self._starts[0]

    @property
    def first(self) -> Piece:
        """The first piece of the first block. Raises IndexError while nothing waits."""
        return self._blocks[0].pieces[0]

    @property
    def is_full(self) -> bool:
        return (
            self.size > limits.MAX_OUT_OF_ORDER or self.segments > limits.MAX_OUT_OF_ORDER_SEGMENTS
        )

    def insert(self, piece: Piece) -> bool:
        """Keep ``piece``; return False if every byte of it was there already."""
        last = self._last
        if last is None:
            self._add([piece], None)
        elif piece.start == last.end:
            self._extend(last, [piece])
        elif piece.start > last.end:
            self._add([piece], last)
        else:
            return self._walk(piece)
        return True

    def _walk(self, piece: Piece) -> bool:
        """Go down the tree to where ``piece`` belongs, and treat what it meets as Linux does."""
        start, end = piece.start, piece.end_with_fin
        parent: Block | None = None
        at = self._tree.root
        while at is not None:
            parent = at
            if start < at.start:
                at = at.left
                continue
            if start < at.end:
                if end <= at.end:
                    return False
                if start == at.start:
                    self._replace(at, self._first_arrivals(piece))
                    return True
            elif start == at.end:  # a piece without data says what is missing there
                self._extend(at, self._first_arrivals(piece))
                return True
            at = at.right
        self._add(self._first_arrivals(piece), parent)
        return True

    def _first_arrivals(self, piece: Piece) -> list[Piece]:
        """Cut ``piece`` where its bytes wait already: they are their first packet's."""
        found: list[Piece] = []
        at = piece.start
        for other in self.overlapping(piece.start, piece.end):
            start, end = max(other.start, at), min(other.end, piece.end)
            data = piece.data[start - piece.start : end - piece.start]
            if start < end and other.data[start - other.start : end - other.start] == data:
                if at < start:
                    found.append(piece.between(at, start))
                found.append(Piece(start, data, other.packet, other.time_ns, 0, stamp=other.stamp))
                at = end
        if at < piece.end_with_fin + piece.missing or not found:
            found.append(piece.after(at))
        return found

    def take(self, offset: int) -> Iterator[Piece]:
        """Take out, in order, the pieces that continue the stream at ``offset``."""
        while self._blocks and self._starts[0] <= offset:
            block = self._blocks[0]
            self._remove(0)
            for piece in block.pieces:
                if piece.end_with_fin + piece.missing > offset:
                    yield piece.after(offset)
                    offset = max(offset, piece.end)

    def clear(self) -> None:
        """Forget what waits."""
        self.size = self.segments = 0
        self._blocks.clear()
        self._starts.clear()
        self._tree.root = self._last = None

    def overlapping(self, start: int, end: int) -> Iterator[Piece]:
        """Yield the waiting pieces that hold bytes of [start, end)."""
        blocks = self._blocks
        # By index: a slice would copy all that follows, of which one or two are looked at.
        for index in range(max(bisect_right(self._starts, start) - 1, 0), len(blocks)):
            if self._starts[index] >= end:
                break
            pieces = blocks[index].pieces
            first = bisect_right(pieces, start, key=lambda piece: piece.end)
            for number in range(first, len(pieces)):
                if pieces[number].start >= end:
                    break
                yield pieces[number]

    def _add(self, pieces: list[Piece], parent: Block | None) -> None:
        block = Block(pieces)
        index = bisect_right(self._starts, block.start)
        self._blocks.insert(index, block)
        self._starts.insert(index, block.start)
        self._tree.insert(block, parent, parent is not None and block.start < parent.start)
        self._count(pieces, 1)
        self._remove_covered(index)

    def _replace(self, old: Block, pieces: list[Piece]) -> None:
        new = Block(pieces)
        index = self._blocks.index(old, bisect_left(self._starts, old.start))
        self._blocks[index] = new
        self._tree.replace(old, new)
        self._count(old.pieces, -1)
        self._count(pieces, 1)
        self._remove_covered(index)

    def _extend(self, block: Block, pieces: list[Piece]) -> None:
        block.extend(pieces)
        self._count(pieces, 1)

    def _remove_covered(self, index: int) -> None:
        """Remove the blocks after one that lie inside it."""
        blocks = self._blocks
        while index + 1 < len(blocks) and blocks[index + 1].end <= blocks[index].end:
            self._remove(index + 1)
        if index + 1 == len(blocks):
            self._last = blocks[index]

    def _remove(self, index: int) -> None:
        del self._starts[index]
        block = self._blocks.pop(index)
        self._tree.remove(block)
        self._count(block.pieces, -1)
        if not self._blocks:
            self._last = None

    def _count(self, pieces: list[Piece], sign: int) -> None:
        self.size += sign * sum(len(piece.data) for piece in pieces)
        self.segments += sign * len(pieces)
