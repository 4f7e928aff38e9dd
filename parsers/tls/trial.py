"""Whose keys these are, where the hello that says so is missing or hidden: by trial.

Strategy: the tag proves a key, so all that are held may be tried, the newest first, and with each
the numbers that the record may have: the low ones of all keys before the high ones of any. The
number of trials is bounded. Up to TLS 1.2 keys are made of the server's random too, so that without
its hello there is nothing to try.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ..limits import MAX_TLS_SEARCH, MAX_TLS_TRIALS
from ..records import Sender
from .key_chain import LABELS, Epoch, step_of
from .key_log import MASTER, Secret
from .protection import Protection, Suite, protections, suite_of

Sealed = tuple[bytes, bytes]
"""A record's header and its fragment."""
Held = Iterable[tuple[bytes, Mapping[str, Secret]]]
"""Client randoms and their secrets."""
NEWER_SUITES = (0x1301, 0x1302, 0x1303, 0x1304, 0x1305)
"""The cipher suites of TLS 1.3 that are decrypted."""
WINDOWS = (
    (0, 64), (64, 1_024), (1_024, 4_096), (4_096, 16_384), (16_384, MAX_TLS_SEARCH),
)  # fmt: skip
"""Numbers that are tried with every key before higher ones are."""
HANDSHAKE_RECORDS = 16
"""Records of a handshake among which the first one that is captured may be."""


class Candidate(NamedTuple):
    """A key that may be the one, and how many numbers may be with it."""

    random: bytes
    suite: int
    epoch: Epoch
    protection: Protection
    numbers: int


class Proof(NamedTuple):
    """The key that opens a record, and the record's number."""

    candidate: Candidate
    number: int


class Trials:
    """Tries keys on the records of one side, and counts them."""

    def __init__(self) -> None:
        self._left = MAX_TLS_TRIALS

    def find(self, candidates: Iterator[Candidate], record: Sealed) -> Proof | None:
        """Return the candidate that opens a record; None if none does, or too many were tried."""
        again: list[Candidate] = []
        among: Iterable[Candidate] = candidates
        for start, end in WINDOWS:
            for candidate in among:
                if self._left <= 0:
                    return None
                if (number := self._try(candidate, start, end, record)) is not None:
                    return Proof(candidate, number)
                if start == 0 and candidate.numbers > end:
                    again.append(candidate)
            among = again
        return None

    def _try(self, candidate: Candidate, start: int, end: int, record: Sealed) -> int | None:
        """Return the number in [start, end) with which a candidate opens a record."""
        open_record = candidate.protection.open
        for number in range(start, min(end, candidate.numbers, start + self._left)):
            self._left -= 1
            if open_record(number, *record) is not None:
                return number
        return None


def newer(sender: Sender, held: Held, suites: Iterable[int], numbers: int) -> Iterator[Candidate]:
    """Yield the keys of TLS 1.3 that may be a side's.

    ``numbers`` says how many records may have come before with a key of traffic.
    """
    epochs: tuple[tuple[Epoch, int], ...]
    epochs = ("traffic", numbers), ("handshake", min(numbers, HANDSHAKE_RECORDS))
    known = [(number, suite) for number in suites if (suite := suite_of(number)) is not None]
    for random, secrets in held:
        for epoch, count in epochs:
            secret = secrets.get(LABELS[sender, epoch], b"")
            for number, suite in known:
                if len(secret) == suite.hash_size:
                    made = step_of(suite, epoch, secret).protection
                    yield Candidate(random, number, epoch, made, count)


class OlderKeys(NamedTuple):
    """What keys are made of up to TLS 1.2, beside the master secret."""

    number: int
    suite: Suite
    version: str
    server_random: bytes
    has_encrypt_then_mac: bool

    def protection(self, sender: Sender, client_random: bytes, master: bytes) -> Protection:
        """Return what protects a side's records."""
        both = protections(
            self.suite,
            self.version,
            master,
            self.server_random + client_random,
            has_encrypt_then_mac=self.has_encrypt_then_mac,
        )
        return both[sender == "server"]


def older(
    sender: Sender, held: Held, keys: OlderKeys, client_random: bytes | None, numbers: int
) -> Iterator[Candidate]:
    """Yield the keys up to TLS 1.2 that may be a side's, by all master secrets.

    ``client_random`` is that of the connection, which goes on with another one's session; None if
    it is not known: then that of each secret may be.
    """
    for random, secrets in held:
        master = secrets.get(MASTER)
        if master is not None:
            made = keys.protection(sender, client_random or random, master)
            yield Candidate(random, keys.number, "sealed", made, numbers)
