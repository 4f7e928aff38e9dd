"""Keys made of secrets: by the examples of RFC 8448, and the known answers of the PRF."""

from __future__ import annotations

import pytest

from parsers.tls import key_schedule
from parsers.tls.key_schedule import expand_label, key_block, updated

# RFC 8448 section 3: secret, key, iv
EXAMPLES = [
    (
        "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38",
        "3fce516009c21727d0f2e4e86ee403bc",
        "5d313eb2671276ee13000b30",
    ),
    (
        "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21",
        "dbfaa693d1762c5b666af5d950258d01",
        "5bd3c71b836e0b76bb73265f",
    ),
]
SECRET = bytes.fromhex("9bbe436ba940f017b17652849a71db35")
SEED = b"test label" + bytes.fromhex("a0ba9f936cda311827a6f796ffd5198c")
MADE = bytes.fromhex(
    "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af"
    "0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701"
    "87347b66"
)
"""What P_SHA256 makes of them: the answer that is known since TLS 1.2 was drafted."""


@pytest.mark.parametrize(("secret", "key", "iv"), EXAMPLES)
def test_keys_of_tls13(secret: str, key: str, iv: str) -> None:
    made = bytes.fromhex(secret)
    assert expand_label("sha256", made, "key", 16).hex() == key
    assert expand_label("sha256", made, "iv", 12).hex() == iv


@pytest.mark.parametrize(("hash_name", "size"), [("sha256", 32), ("sha384", 48)])
def test_an_update_keeps_the_length(hash_name: str, size: int) -> None:
    secret = bytes(range(size))
    assert len(updated(hash_name, secret)) == size
    assert updated(hash_name, secret) != secret


def test_the_function_of_tls12() -> None:
    assert key_schedule._expanded("sha256", SECRET, SEED, len(MADE)) == MADE


@pytest.mark.parametrize("hash_name", ["sha256", "sha384", None])
def test_a_key_block_is_as_long_as_it_is_wanted(hash_name: str | None) -> None:
    long = key_block(hash_name, bytes(48), bytes(64), 136)
    assert len(long) == 136
    assert key_block(hash_name, bytes(48), bytes(64), 40) == long[:40]
    assert key_block(hash_name, bytes(48), bytes(63) + b"\1", 136) != long
