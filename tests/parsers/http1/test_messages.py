"""What a message says of itself."""

from __future__ import annotations

import pytest

from parsers.http1.messages import Request


@pytest.mark.parametrize(
    ("framing", "has_body"), [("none", False), ("content-length", True), ("chunked", True)]
)
def test_a_request_has_a_body_if_it_is_framed(framing, has_body):
    request = Request(0, 9, b"POST", b"/", b"HTTP/1.1", [], framing, (), False)
    assert request.has_body == has_body
