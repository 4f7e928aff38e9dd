"""Which keys are a connection's: by what the hellos say, or else by trial.

Strategy: a client random leads to secrets, a cipher suite says what to make of them. What is
missing may be told by the other side yet, or come into the key log later: until then records wait.
Where a hello is missing, or hidden by ECH, all secrets are tried (:mod:`.trial`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ..limits import MAX_TLS_SEARCH
from ..records import Sender
from .cipher_suites import suite_name
from .hello import ClientHello, ServerHello
from .key_chain import Epoch, KeyChain, Step, chain_of
from .key_log import MASTER, KeyLog, Secret
from .protection import Suite, suite_of
from .sealed_side import SealedSide
from .trial import NEWER_SUITES, Held, OlderKeys, Sealed, Trials, newer, older

TLS13 = "TLSv1.3"
_OLDER = ("TLSv1.2", "TLSv1.1", "TLSv1.0")
NO_KEYS = "no keys for this connection"
NO_HELLO = (
    "the ServerHello is missing, and no key of TLS 1.3 fits: older versions need the server's "
    "random"
)


class KeySource(Protocol):
    """Where keys come from."""

    waits: bool
    """Whether keys may come later than what they open."""
    waiting: int
    """Bytes of all records that wait."""

    @property
    def log(self) -> KeyLog:
        """All that is known."""

    @property
    def is_possible(self) -> bool:
        """Whether there are keys, or may yet be."""

    def refresh(self) -> bool:
        """Look for more keys; return whether any came."""


class KeyFinder:
    """Knows the hellos of a connection, and gives its sides their keys."""

    def __init__(self, source: KeySource, sides: Mapping[Sender, SealedSide]) -> None:
        self.version: str | None = None
        """As ServerHello says, or a key that fits."""
        self.cipher_suite: int | None = None
        self.early_data: bool | None = None
        """Whether the server takes early data; None as long as that is not known."""
        self._source = source
        self._sides = sides
        self._client_hello: ClientHello | None = None
        self._server_hello: ServerHello | None = None
        self._random: bytes | None = None  # the client's, by which secrets are found
        self._master: Secret | None = None  # up to TLS 1.2, found by trial
        self._trials: dict[Sender, Trials] = {"client": Trials(), "server": Trials()}
        self._tried: dict[Sender, int] = {}  # by which revision of the key log

    # --- what hellos say ---

    def take_hello(self, hello: ClientHello | ServerHello) -> None:
        """Take a hello in the clear."""
        if isinstance(hello, ClientHello):
            if self._client_hello is None:
                self._client_hello, self._random = hello, hello.random
        elif hello.is_retry:
            self.early_data = False
        elif self._server_hello is None:
            self._take_server_hello(hello)

    def renegotiate(self, hello: ClientHello | ServerHello) -> None:
        """Take an encrypted hello up to TLS 1.2: other keys follow a switch (RFC 5746)."""
        if self.version == TLS13:
            return
        self._master = None
        if isinstance(hello, ClientHello):
            self._client_hello, self._random = hello, hello.random
        else:
            self._take_server_hello(hello)

    def _take_server_hello(self, hello: ServerHello) -> None:
        self._server_hello = hello
        self.version, self.cipher_suite = hello.version, hello.cipher_suite

    # --- keys ---

    def find(self, side: SealedSide, record: Sealed, *, is_last: bool) -> bool:
        """Give a side its keys; return whether it is decided if it has any.

        ``side.why`` says why it has none. As long as nothing is decided ``record``, its next one,
        must wait, unless this ``is_last``.
        """
        why = self._find(side, record, is_last=is_last)
        if why and self._source.refresh():
            why = self._find(side, record, is_last=is_last)
        side.why = why or ""
        if side.chain is not None or is_last:
            return True
        return bool(why) and not self._source.waits

    def _find(self, side: SealedSide, record: Sealed, *, is_last: bool) -> str | None:
        """Look for keys; return why there are none, None if they are found or not decided."""
        hello = self._server_hello
        if hello is None:
            if self._awaits_server_hello() and not is_last:
                return None
            return self._find_without_hello(side, record)
        suite = suite_of(hello.cipher_suite)
        if hello.compression:
            return "compressed records are not decrypted"
        if suite is None or hello.version not in (TLS13, *_OLDER):
            return f"{hello.version} with {suite_name(hello.cipher_suite)} is not decrypted"
        if hello.version != TLS13:
            return self._find_older(hello, suite, side, record)
        if self._awaits_decision(side) and not is_last:
            return None
        return self._find_newer(suite, side, record)

    def _awaits_server_hello(self) -> bool:
        """Whether the server may yet answer: nothing encrypted has come from it."""
        server = self._sides["server"]
        return not (server.is_over or server.is_sealed or server.doubt)

    def _awaits_decision(self, side: SealedSide) -> bool:
        """Whether it is not known if early data, which may be what comes, is taken.

        The server says that in EncryptedExtensions: nobody, if they cannot be read.
        """
        hello, server = self._client_hello, self._sides["server"]
        return (
            side.sender == "client"
            and hello is not None
            and hello.has_early_data
            and self.early_data is None
            and not (server.is_over or server.opened or server.closed or server.unread)
        )

    def _held(self) -> Held:
        """Return the secrets that may be the connection's: its own if its random is known."""
        log = self._source.log
        if self._random is None or not (secrets := log.of(self._random)):
            return log.newest()
        return [(self._random, secrets)]

    def _may_try(self, side: SealedSide) -> bool:
        """Whether a side's record has not been tried with the keys that are held now."""
        revision = self._source.log.revision
        if self._tried.get(side.sender) == revision:
            return False
        self._tried[side.sender] = revision
        return True

    # --- TLS 1.3 ---

    def _find_newer(self, suite: Suite, side: SealedSide, record: Sealed) -> str | None:
        secrets = self._secrets()
        if not secrets and self._is_random_hidden() and self._may_try(side):
            number = self.cipher_suite or 0
            found = newer(side.sender, self._held(), [number], side.doubt + 1)
            if (proof := self._trials[side.sender].find(found, record)) is not None:
                self._random = proof.candidate.random
                secrets = self._secrets()
        if not secrets:
            return NO_KEYS
        first: Epoch = "early" if self._begins_early(side) else side.epoch
        side.chain = chain_of(suite, side.sender, secrets, first)
        if (step := side.chain.peek()) is None:
            side.chain = None
            return f"no keys for the {side.sender}"
        side.is_unsure = step.epoch != first or self._sends_in_vain(side)
        side.epoch = step.epoch
        return None

    def _secrets(self) -> Mapping[str, Secret]:
        return {} if self._random is None else self._source.log.of(self._random)

    def _is_random_hidden(self) -> bool:
        return self._client_hello is None or self._client_hello.has_ech

    def _begins_early(self, side: SealedSide) -> bool:
        return side.sender == "client" and bool(self.early_data) and not side.opened

    def _sends_in_vain(self, side: SealedSide) -> bool:
        """Whether early data comes first that the server does not take (RFC 8446 section 4.2.10)"""
        hello = self._client_hello
        is_early = hello is not None and hello.has_early_data and not self.early_data
        return side.sender == "client" and is_early and not side.opened

    def _find_without_hello(self, side: SealedSide, record: Sealed) -> str | None:
        """Find keys and number by trial; what opened the other side's records tells the keys."""
        suites = NEWER_SUITES if self.cipher_suite is None else [self.cipher_suite]
        numbers = MAX_TLS_SEARCH if side.is_joined else side.doubt + 1
        found = newer(side.sender, self._held(), suites, numbers)
        proof = self._trials[side.sender].find(found, record)
        if proof is None or (suite := suite_of(proof.candidate.suite)) is None:
            return NO_HELLO
        key = proof.candidate
        self.version, self.cipher_suite, self._random = TLS13, key.suite, key.random
        side.chain = chain_of(suite, side.sender, self._secrets(), key.epoch)
        side.join(key.epoch, proof.number)
        return None

    # --- up to TLS 1.2 ---

    def _find_older(
        self, hello: ServerHello, suite: Suite, side: SealedSide, record: Sealed
    ) -> str | None:
        made = OlderKeys(
            hello.cipher_suite, suite, hello.version, hello.random, hello.has_encrypt_then_mac
        )
        master = self._master or self._known_master(hello)
        if master is None and self._may_go_on(hello) and self._may_try(side):
            known = None if self._client_hello is None else self._client_hello.random
            found = older(side.sender, self._source.log.newest(), made, known, side.doubt + 1)
            if (proof := self._trials[side.sender].find(found, record)) is not None:
                master = self._source.log.of(proof.candidate.random)[MASTER]
                self._master, self._random = master, known or proof.candidate.random
        if master is None or (random := self._random) is None:
            return NO_KEYS
        secret = master
        step = Step("sealed", lambda: made.protection(side.sender, random, secret))
        side.chain = KeyChain([step])
        side.epoch = "sealed"
        return None

    def _known_master(self, hello: ServerHello) -> Secret | None:
        return self._secrets().get(MASTER) or self._source.log.of_session(hello.session_id)

    def _may_go_on(self, hello: ServerHello) -> bool:
        """Whether an earlier session may go on, of which the key log has the secret, or whose
        random cannot be known."""
        asked = self._client_hello
        return asked is None or bool(asked.session_id) and asked.session_id == hello.session_id
