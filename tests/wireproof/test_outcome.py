"""What a command comes to."""

from __future__ import annotations

from collections.abc import Callable

import click
import pytest

from wireproof import outcome
from wireproof.commands.exits import NotWhole
from wireproof.ending import INTERRUPTED, UNREAD
from wireproof.outcome import exit_code


def raising(error: BaseException) -> Callable[[], int]:
    def command() -> int:
        raise error

    return command


def test_a_command_has_its_own_code() -> None:
    assert exit_code(lambda: None) == 0
    assert exit_code(lambda: 1) == 1


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), INTERRUPTED, ""),
        (BrokenPipeError(), UNREAD, ""),
        (click.exceptions.Exit(7), 7, ""),
        (NotWhole("not\nall"), 1, "wireproof: not all\n"),
        (click.UsageError("which?"), 2, "wireproof: which?\n"),
        (OSError(28, "No space"), 2, "wireproof: standard output: No space\n"),
    ],
)
def test_what_a_user_can_cause_is_one_line(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
    said: str,
) -> None:
    monkeypatch.setattr(outcome, "give_up_standard_output", lambda: None)
    monkeypatch.setattr("wireproof.commands.exits.give_up_standard_output", lambda: None)
    assert exit_code(raising(error)) == code
    assert capsys.readouterr() == ("", said)


def test_a_defect_is_none_of_these() -> None:
    with pytest.raises(ZeroDivisionError):
        exit_code(lambda: 1 // 0)
