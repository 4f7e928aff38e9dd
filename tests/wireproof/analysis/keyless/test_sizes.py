"""What suites add to a record, beside Python's cryptography where it has them, and by hand."""

from __future__ import annotations

import pytest

from wireproof.analysis.keyless.sizes import sealing


@pytest.mark.parametrize(
    ("version", "cipher", "size", "content"),
    [
        ("TLSv1.3", "TLS_AES_256_GCM_SHA384", 66, (49, 49)),
        ("TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256", 26, (9, 9)),
        ("TLSv1.3", "TLS_AES_128_CCM_8_SHA256", 18, (9, 9)),
        (None, None, 26, (9, 9)),
        ("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", 33, (9, 9)),
        ("TLSv1.2", "TLS_RSA_WITH_AES_128_CCM_8", 25, (9, 9)),
        ("TLSv1.2", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", 25, (9, 9)),
        # IV 16, MAC 20, and 1 to 16 bytes of padding: 9 bytes make a record of 16 + 32.
        ("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", 48, (0, 11)),
        ("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", 64, (0, 15)),
        ("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", 96, (16, 31)),
        ("TLSv1.2", "TLS_RSA_WITH_RC4_128_SHA", 29, (9, 9)),
        ("TLSv1.3", "TLS_AES_256_GCM_SHA384", 3, (0, 0)),
    ],
)
def test_content(
    version: str | None, cipher: str | None, size: int, content: tuple[int, int]
) -> None:
    found = sealing(version, cipher).content(size)
    assert (found.start, found[-1]) == content
