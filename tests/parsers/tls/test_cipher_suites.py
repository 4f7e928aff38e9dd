"""The table of cipher suites, beside what others call them."""

from __future__ import annotations

import ssl
import subprocess

import pytest

from parsers.tls.cipher_suites import CIPHER_SUITES, suite_name


def test_names() -> None:
    assert suite_name(0x1301) == "TLS_AES_128_GCM_SHA256"
    assert suite_name(0xC02F) == "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    assert suite_name(0x0A0A) == "0x0A0A", "as GREASE has it (RFC 8701)"


def test_it_has_what_openssl_has() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    numbers = {suite["id"] & 0xFFFF for suite in context.get_ciphers()}
    assert len(numbers) > 50
    assert numbers <= set(CIPHER_SUITES)


@pytest.mark.tshark
def test_beside_tshark() -> None:
    shown = subprocess.run(["tshark", "-G", "values"], capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in shown.stdout.splitlines()]
    theirs = {
        int(row[2], 0): row[3] for row in rows if row[:2] == ["V", "tls.handshake.ciphersuite"]
    }
    same = [number for number, name in CIPHER_SUITES.items() if theirs.get(number) == name]
    assert len(same) >= len(CIPHER_SUITES) - 4, "it lacks the newest"
