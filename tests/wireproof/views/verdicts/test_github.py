"""Verdicts as annotations of a workflow."""

from __future__ import annotations

from io import StringIO
from typing import Any

from support.outcomes import EVIL, shown

from wireproof.views.verdicts.github import GithubView


def printed(*args: Any, **options: Any) -> list[str]:
    stream = StringIO()
    shown(GithubView(stream), *args, **options)
    return stream.getvalue().splitlines()


def test_each_verdict_that_is_not_ok_is_an_annotation() -> None:
    error, note, total = printed()
    assert error.startswith(
        "::error file=a.pcapng,title=GET /chat (exchange 3%2C packets 12-88)::streaming: held: "
        "16 events came together, 951.0 ms after the request%0Aeither: compressor-not-flushed"
    )
    assert note.startswith("::notice file=a.pcapng,title=")
    assert total == "a.pcapng: 3 exchanges: 1 ok, 1 note, 1 error"


def test_a_name_cannot_end_its_property() -> None:
    assert printed(sources=("a,b:c%\n.pcapng",))[0].startswith(
        "::error file=a%2Cb%3Ac%25%0A.pcapng,title="
    )


def test_nothing_from_the_wire_is_a_command() -> None:
    lines = printed([EVIL])
    assert len(lines) == 2
    assert "title=GET /\\x1b[31m\\u202e\\n%3A%3Aerror%3A%3Ax" in lines[0]
    assert lines[0].startswith("::error file=")
    assert "\\r\\n::set-env::" in lines[0]  # within its line, where it commands nothing
