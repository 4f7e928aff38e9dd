"""The grammar of the line that begins a chunk; how it is decoded is in ``test_chunked.py``."""

from __future__ import annotations

import pytest

from parsers.http1.chunk_line import (
    begins_chunk_line,
    general_chunk_line,
    line_fault,
    match_chunk_line,
    parse_extensions,
)

VALID = [
    b"5\r\n",
    b"0000aF\r\n",
    b"5;a\r\n",
    b"5;a=b;c\r\n",
    b"5 ; a = b\r\n",
    b'5;a="b;\\"c"\r\n',
    b"5;a\t\r\n",
    b"5 \r\n",
]
INVALID = {
    b"": "http-line-limit",
    b"\r\n": "chunk-size-invalid",
    b"0x5\r\n": "chunk-size-invalid",
    b"+5\r\n": "chunk-size-invalid",
    b"1_0\r\n": "chunk-size-invalid",
    b" 5\r\n": "chunk-size-invalid",
    b"5g\r\n": "chunk-size-invalid",
    b"5\n": "chunk-line-bare-lf",
    b"5\r;a\r\n": "http-bare-cr",
    b"5;\r\n": "chunk-extension-invalid",
    b"5;a=\r\n": "chunk-extension-invalid",
    b'5;a="b\r\n': "chunk-extension-invalid",
}


@pytest.mark.parametrize("line", VALID)
def test_what_the_grammar_allows(line: bytes) -> None:
    assert general_chunk_line().fullmatch(line)
    assert all(begins_chunk_line(line[:end]) for end in range(len(line)))


@pytest.mark.parametrize("line", INVALID)
def test_what_it_does_not(line: bytes) -> None:
    assert not general_chunk_line().fullmatch(line)
    assert not match_chunk_line(line)
    assert line_fault(line) == INVALID[line]


@pytest.mark.parametrize("digits", [1, 15, 16])
def test_sizes_of_more_than_15_digits_take_the_general_path(digits: int) -> None:
    line = b"0" * digits + b"\r\n"
    assert bool(match_chunk_line(line)) == (digits < 16)
    assert general_chunk_line().fullmatch(line)


@pytest.mark.parametrize(
    ("extension", "expected"),
    [
        (b"", []),
        (b";a", [(b"a", None)]),
        (b' \t; a = b ;c="d;\\"e"', [(b"a", b"b"), (b"c", b'"d;\\"e"')]),
        (b";a=b;=c", [(b"a", b"b")]),
    ],
)
def test_extensions_are_parsed_on_demand(extension: bytes, expected: list[object]) -> None:
    assert parse_extensions(extension) == expected


def test_the_whole_grammar_is_compiled_once() -> None:
    general_chunk_line.cache_clear()
    assert general_chunk_line() is general_chunk_line()
    assert general_chunk_line().fullmatch(b"5;a=b\r\n")
