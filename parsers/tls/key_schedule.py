"""How keys are made of secrets: by HKDF in TLS 1.3 (RFC 8446 section 7), by the PRF before it (RFC
5246 sections 5 and 6.3, RFC 2246 section 5)."""

from __future__ import annotations

import hmac


def expand_label(hash_name: str, secret: bytes, label: str, length: int) -> bytes:
    """Return HKDF-Expand-Label(secret, label, "", length) (RFC 8446 section 7.1).

    ``length`` is at most the hash's, as it is of everything that TLS makes: so one block will do.
    """
    name = b"tls13 " + label.encode()
    info = length.to_bytes(2) + bytes([len(name)]) + name + b"\0"
    return hmac.digest(secret, info + b"\1", hash_name)[:length]


def updated(hash_name: str, secret: bytes) -> bytes:
    """Return the traffic secret that a KeyUpdate puts in place of ``secret`` (section 7.2)."""
    return expand_label(hash_name, secret, "traffic upd", len(secret))


def key_block(hash_name: str | None, master: bytes, randoms: bytes, length: int) -> bytes:
    """Return the key material of a connection up to TLS 1.2 (RFC 5246 section 6.3).

    ``randoms`` are the server's and then the client's. ``hash_name`` is None up to TLS 1.1, whose
    PRF has two (RFC 2246 section 5).
    """
    seed = b"key expansion" + randoms
    if hash_name is not None:
        return _expanded(hash_name, master, seed, length)
    half = (len(master) + 1) // 2
    by_md5 = _expanded("md5", master[:half], seed, length)
    by_sha1 = _expanded("sha1", master[-half:], seed, length)
    return bytes(one ^ other for one, other in zip(by_md5, by_sha1, strict=True))


def _expanded(hash_name: str, secret: bytes, seed: bytes, length: int) -> bytes:
    """Return P_hash(secret, seed) (RFC 5246 section 5)."""
    made, chained = bytearray(), seed
    while len(made) < length:
        chained = hmac.digest(secret, chained, hash_name)
        made += hmac.digest(secret, chained + seed, hash_name)
    return bytes(made[:length])
