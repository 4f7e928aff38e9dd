"""One budget for all that is decoded at the same time: what it holds, and what it may unfold to.

Strategy: whoever keeps bytes for long charges them to the :class:`Account` of its connection, in
bulk: when much has come, not for each segment. All accounts add up in one :class:`Memory`, which
is looked at after each batch of packets. Who is let go when it is spent is the affair of who
knows the connections. What is charged need not be exact: a holder that knows what it holds says
so anew each time, so that no error adds up.

Beside what is held stands what was unfolded: small pieces that decompress to much cost time, also
where nothing is kept of them. Each body has bounds of its own; here all have one together.
"""

from __future__ import annotations

from typing import ClassVar

from .limits import CHARGE_STEP, MAX_DECODED_RATIO, MAX_DECODED_TOTAL, MAX_MEMORY, PROGRAM_COST


class Memory:
    """What is held for all connections together, in bytes, and how much of it is allowed.

    Of the ``limit`` that is asked for, ``usual`` if it is None, the program takes a part.
    """

    __slots__ = ("limit", "held", "unfolded", "folded")

    usual: ClassVar[int] = MAX_MEMORY
    """What is allowed where nobody says otherwise: a process that is one command's sets it."""

    def __init__(self, limit: int | None = None) -> None:
        limit = Memory.usual if limit is None else limit
        self.limit = max(limit - PROGRAM_COST, limit // 2)
        self.held = 0
        self.unfolded = 0
        """Bytes that decompressors have given, or have made without giving them."""
        self.folded = 0
        """Bytes that they were given."""

    @property
    def is_spent(self) -> bool:
        """Whether more is held than allowed."""
        return self.held > self.limit

    @property
    def enough(self) -> int:
        """What may be held after something was let go: less, so that it is not soon spent again."""
        return self.limit // 4 * 3

    @property
    def unfolds_too_much(self) -> bool:
        """Whether decompressors have given more, all together, than what came can be worth."""
        return self.unfolded > MAX_DECODED_TOTAL + MAX_DECODED_RATIO * self.folded

    @property
    def unfolded_text(self) -> str:
        """How much that is, for a diagnostic."""
        return f"{self.folded:,} bytes of all connections unfold to {self.unfolded:,}"


class Account:
    """What one connection holds of the memory."""

    __slots__ = ("held", "memory", "is_let_go")

    def __init__(self, memory: Memory) -> None:
        self.held = 0
        self.memory = memory
        self.is_let_go = False
        """Whether what was held above TCP was let go, and is not decoded any further: whoever
        listens beside the decoder, and charges here, waits for no more records either."""

    def charge(self, more: int) -> None:
        """Hold ``more`` bytes; fewer, if it is negative."""
        self.held += more
        self.memory.held += more

    def close(self) -> None:
        """Hold nothing any more."""
        self.charge(-self.held)


class Holding:
    """What one holder has charged to an account: it says anew what it holds, in bytes."""

    __slots__ = ("size", "_account")

    def __init__(self, account: Account | None) -> None:
        self.size = 0
        """As it was last charged."""
        self._account = account

    def hold(self, size: int) -> None:
        """Hold so many bytes, nothing if it is 0; a step more or less is not charged."""
        more = size - self.size
        if self._account is None or (size and -CHARGE_STEP < more < CHARGE_STEP):
            return
        self._account.charge(more)
        self.size = size
