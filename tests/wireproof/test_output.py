"""A file that takes another's place when it is whole, or leaves nothing."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from wireproof.output import open_stream


class Came(BaseException):
    """What a signal raises, anywhere."""


@pytest.mark.parametrize("has_name", [False, True])
def test_a_signal_as_soon_as_there_is_a_file(
    has_name: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out"
    output.write_text("before")
    if has_name:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    chmod = os.chmod

    def interrupted(*given: object) -> None:
        chmod(*given)  # type: ignore[arg-type]
        raise Came

    monkeypatch.setattr(os, "chmod", interrupted)
    with pytest.raises(Came), ExitStack() as stack:
        open_stream(str(output), stack)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("out", "before")]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    output = str(tmp_path / "nowhere" / "out")
    with pytest.raises(OSError, match="No such file") as raised, ExitStack() as stack:
        open_stream(output, stack)
    assert raised.value.filename == output
