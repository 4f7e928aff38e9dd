"""The keys that one side uses, one after the other (RFC 8446 sections 4.6.3 and 7.1).

Strategy: a side only goes forward. Keys are made when they are looked at, and those that are behind
are let go, so that a connection with a thousand updates keeps no more than one with none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Literal

from ..records import Sender
from . import key_log
from .key_log import Secret
from .key_schedule import updated
from .protection import Aead13, Protection, Suite

Epoch = Literal["early", "handshake", "traffic", "sealed"]
"""What a key is for: the three of TLS 1.3; ``sealed`` is all that older versions encrypt."""
EPOCHS: tuple[Epoch, ...] = ("early", "handshake", "traffic")
LABELS: Mapping[tuple[Sender, Epoch], str] = {
    ("client", "early"): key_log.CLIENT_EARLY,
    ("client", "handshake"): key_log.CLIENT_HANDSHAKE,
    ("server", "handshake"): key_log.SERVER_HANDSHAKE,
    ("client", "traffic"): key_log.CLIENT_TRAFFIC,
    ("server", "traffic"): key_log.SERVER_TRAFFIC,
}
"""Under which label a key log has the secret of a side's epoch."""


class Step:
    """One key of a side; ``following`` makes what comes after it by a rule, if anything does."""

    def __init__(
        self,
        epoch: Epoch,
        make: Callable[[], Protection],
        following: Callable[[], Step] | None = None,
    ) -> None:
        self.epoch = epoch
        self.following = following
        self._make = make

    @cached_property
    def protection(self) -> Protection:
        return self._make()


class KeyChain:
    """The key that is used now, and those after it."""

    __slots__ = ("_ahead",)

    def __init__(self, steps: Iterable[Step]) -> None:
        self._ahead = list(steps)

    def peek(self, ahead: int = 0) -> Step | None:
        """Return the key that is so many steps ahead; None if it is not known."""
        while ahead >= len(self._ahead):
            following = self._ahead[-1].following if self._ahead else None
            if following is None:
                return None
            self._ahead.append(following())
        return self._ahead[ahead]

    def move(self, steps: int) -> None:
        """Go on to the key that is so many steps ahead."""
        self.peek(steps)
        del self._ahead[:steps]


def chain_of(suite: Suite, sender: Sender, secrets: Mapping[str, Secret], first: Epoch) -> KeyChain:
    """Return a side's keys in TLS 1.3, from those of the epoch ``first`` on, as far as known."""
    steps: list[Step] = []
    for epoch in EPOCHS[EPOCHS.index(first) :]:
        secret = secrets.get(LABELS.get((sender, epoch), ""))
        if secret is not None and len(secret) == suite.hash_size:
            steps.append(step_of(suite, epoch, secret))
    return KeyChain(steps)


def step_of(suite: Suite, epoch: Epoch, secret: bytes) -> Step:
    """Return a key of TLS 1.3; after one of traffic comes the next generation."""

    def following() -> Step:
        return step_of(suite, epoch, updated(suite.hash_name, secret))

    return Step(epoch, lambda: Aead13(suite, secret), following if epoch == "traffic" else None)
