"""Records opened: what a suite's name says, and that nothing opens but what was sealed so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tls12_sealed import CbcKey12
from support.tls_sealed import SUITES, Key, secret_of

from parsers.tls.cipher_suites import CIPHER_SUITES
from parsers.tls.protection import Aead13, Suite, protections, suite_of

OF_TLS12 = [0xC02F, 0xC030, 0xCCA8, 0xC0AC, 0xC0AE, 0xC027, 0xC014, 0x000A, 0x0041]
VERSIONS = ["TLSv1.0", "TLSv1.1", "TLSv1.2"]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0x1301, Suite("AES-GCM", 16, "sha256")),
        (0x1302, Suite("AES-GCM", 32, "sha384")),
        (0x1303, Suite("CHACHA20", 32, "sha256")),
        (0x1304, Suite("AES-CCM", 16, "sha256")),
        (0x1305, Suite("AES-CCM", 16, "sha256", 8)),
        (0xC0AF, Suite("AES-CCM", 32, "sha256", 8)),
        (0xC030, Suite("AES-GCM", 32, "sha384")),
        (0xC014, Suite("AES", 32, "sha256", mac="sha1")),
        (0xC028, Suite("AES", 32, "sha384", mac="sha384")),
        (0x00BA, Suite("CAMELLIA", 16, "sha256", mac="sha256")),
        (0x000A, Suite("3DES", 24, "sha256", mac="sha1")),
    ],
)
def test_what_a_name_says(number: int, expected: Suite) -> None:
    assert suite_of(number) == expected


def test_what_is_not_decrypted() -> None:
    names = [name for number, name in CIPHER_SUITES.items() if suite_of(number) is None]
    assert {"TLS_RSA_WITH_RC4_128_SHA", "TLS_RSA_WITH_NULL_SHA", "TLS_NULL_WITH_NULL_NULL"} <= {
        *names
    }
    assert not [name for name in names if "AES" in name]
    assert suite_of(0xFFFF) is None


@pytest.mark.parametrize("number", SUITES)
@pytest.mark.parametrize("padding", [0, 1, 300])
def test_tls13(number: int, padding: int) -> None:
    suite = suite_of(number)
    assert suite is not None
    secret = secret_of("server", "traffic", suite.hash_size)
    key, made = Key(secret, number), Aead13(suite, secret)
    for sequence in range(3):
        sealed = key.seal(23, b"content", padding)
        header, fragment = sealed[:5], sealed[5:]
        assert made.open(sequence, header, fragment) == (23, b"content")
        assert made.open(sequence + 1, header, fragment) is None
        assert made.open(sequence, b"\x17\x03\x01" + header[3:], fragment) is None
        assert made.open(sequence, header, fragment[:-1] + bytes([fragment[-1] ^ 1])) is None
    assert len(sealed) == made.overhead + 7 + padding


def test_nothing_but_padding_has_no_type() -> None:
    suite = suite_of(0x1301)
    assert suite is not None
    secret = secret_of("server", "traffic")
    sealed = Key(secret).seal(0, b"", 20)
    assert Aead13(suite, secret).open(0, sealed[:5], sealed[5:]) == (0, b"")


@pytest.mark.parametrize("has_etm", [False, True])
@pytest.mark.parametrize("content", [b"", b"content", b"x" * 16, b"y" * 1_000])
def test_a_block_cipher_with_its_mac_inside_or_around(content: bytes, has_etm: bool) -> None:
    suite, master, randoms = suite_of(0xC027), bytes(range(48)), bytes(range(64))
    assert suite is not None
    both = protections(suite, "TLSv1.2", master, randoms, has_encrypt_then_mac=has_etm)
    for sender, made in zip(("client", "server"), both, strict=True):
        key = CbcKey12(sender, master, randoms, has_etm=has_etm)
        for number in (0, 1, 70_000):
            header, fragment = key.seal(number, 23, content)
            assert made.open(number, header, fragment) == (23, content)
            assert made.open(number + 1, header, fragment) is None
            assert made.open(number, header, fragment[:-1] + bytes([fragment[-1] ^ 1])) is None


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("number", OF_TLS12)
@pytest.mark.parametrize("has_etm", [False, True])
@pytest.mark.parametrize("size", [0, 1, 16, 48, 64, 160])
def test_zeros_open_nothing(version: str, number: int, has_etm: bool, size: int) -> None:
    opens_nothing(version, number, has_etm, bytes(size), 1)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("number", OF_TLS12)
@pytest.mark.parametrize("has_etm", [False, True])
@given(fragment=st.binary(max_size=120), sequence=st.integers(0, 2**64 - 1))
def test_any_bytes_open_nothing(
    version: str, number: int, has_etm: bool, fragment: bytes, sequence: int
) -> None:
    opens_nothing(version, number, has_etm, fragment, sequence)


def opens_nothing(version: str, number: int, has_etm: bool, fragment: bytes, sequence: int) -> None:
    suite = suite_of(number)
    assert suite is not None
    both = protections(suite, version, bytes(48), bytes(64), has_encrypt_then_mac=has_etm)
    for protection in both:
        assert protection.open(sequence, b"\x17\x03\x03\0\0", fragment) is None
        protection.pass_by(fragment)
        protection.pass_by(None)
    assert both[0].least <= both[0].overhead
