"""``wireproof decode FILE`` with the options that most have, without what reads any command line.

Strategy: click takes a fifth of the time that the decode of a small capture takes, and what it is
told for it, the options of choices and their help, half as much again. So a command line that is
certainly understood is read here. Any other is click's, and so is whatever goes wrong: what comes
of a decode is worded in one place. A test has click read the same command lines.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, NoReturn, cast

from .ending import ended_by_signals
from .outcome import exit_code
from .output import escape_standard_streams, finish_standard_output, prepare_standard_streams

if TYPE_CHECKING:
    from .tasks.decode import DecodeOptions
    from .views.kinds import Name

NAMES = {"-o": "output", "--output": "output", "--format": "view", "--view": "view"}
NAMES |= {"--jobs": "jobs"}
"""Options that have a value."""
FLAGS = {"--no-data": "no_data", "--records": "records", "--keep-rights": "keep_rights"}
OF_CLICK = ("_WIREPROOF_COMPLETE", "SSLKEYLOGFILE")
"""What in the environment means more than is read here."""


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    values = None if any(map(os.environ.get, OF_CLICK)) else read(sys.argv[1:])
    options = None if values is None else options_of(values)
    if values is None or options is None:
        from .cli import main as command

        command()
    prepare_standard_streams()
    escape_standard_streams()
    with ended_by_signals():
        code = exit_code(partial(_decode, options, keeps_rights="keep_rights" in values))
    finish_standard_output()
    sys.exit(code)


def read(arguments: Sequence[str]) -> dict[str, str] | None:
    """Return what ``decode`` is told, by names; None if that is not certain."""
    if not arguments or arguments[0] != "decode" or os.name != "posix":
        return None
    values: dict[str, str] = {}
    rest = iter(arguments[1:])
    for argument in rest:
        name, parted, value = argument.partition("=")
        if argument in FLAGS:
            found, value = FLAGS[argument], argument
        elif argument in NAMES:
            found, value = NAMES[argument], next(rest, "")
        elif parted and name.startswith("--") and name in NAMES:
            found = NAMES[name]
        else:
            found, value = "file", argument
        if found in values or not value or (value.startswith("-") and value != argument):
            return None
        if found == "file" and argument.startswith("-"):
            return None
        values[found] = value
    return values if "file" in values else None


def options_of(values: dict[str, str]) -> DecodeOptions | None:
    """Return what is decoded, and how; None if a value is not certainly right."""
    from .views.kinds import VIEWS, default_view

    output, jobs = values.get("output"), values.get("jobs", "1")
    try:
        view = values.get("view") or default_view(output)
    except ValueError:
        return None
    if view not in VIEWS or not (jobs.isascii() and jobs.isdecimal() and int(jobs[:9]) > 0):
        return None
    _load_msgspec()
    from .tasks.decode import DecodeOptions

    return DecodeOptions(
        values["file"],
        view=cast("Name", view),
        output=output,
        keep_data="no_data" not in values,
        shows_records="records" in values,
        jobs=int(jobs) if "jobs" in values else None,
    )


def _load_msgspec() -> None:
    """Load msgspec without a library that it asks, where that is installed, for what Python has.

    That one takes a tenth of a start, with all that it loads.
    """
    asked = "typing_extensions"
    if asked in sys.modules:
        return
    sys.modules[asked] = None  # type: ignore[assignment]  # as if there were none
    try:
        import msgspec  # noqa: F401
    finally:
        del sys.modules[asked]


def _decode(options: DecodeOptions, *, keeps_rights: bool) -> int:
    """Decode, and return the exit code."""
    _give_up(options, keeps_rights=keeps_rights)
    from .tasks.decode import run
    from .tasks.worker_died import WorkerDied

    try:
        found = run(options, _say)
    except (OSError, ValueError, WorkerDied) as error:
        from .commands.decode import say_why_not

        return say_why_not(options, error)
    if not found:
        from .commands.decode import say_nothing

        say_nothing(options)
    return 0


def _give_up(options: DecodeOptions, *, keeps_rights: bool) -> None:
    """Give up the rights that are not needed, as every command that parses does."""
    if keeps_rights:
        if sys.platform == "linux":
            from capture.linux.rights import keep_all

            keep_all()
        return
    from .rights import Needs, give_up, paths

    found = give_up(Needs(paths([options.source]), paths([options.output])))
    if found.kept:
        _say(found.kept)


def _say(message: str) -> None:
    from .commands.exits import say

    say(message)
