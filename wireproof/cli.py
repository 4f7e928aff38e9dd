"""The command line: arguments in, one exit code out.

Strategy: ``commands`` has a file for each command; this module runs the one that is wanted, and
turns whatever goes wrong that a user can cause into one line on standard error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from io import TextIOWrapper
from typing import NoReturn

import click

from . import __version__
from .commands import Commands
from .commands.exits import INTERRUPTED, UNREAD, Unreadable, because, examples, say
from .commands.parsing import OWN_PROCESS
from .ending import ended_by_signals
from .output import (
    STANDARD_OUTPUT,
    finish_standard_output,
    give_up_standard_output,
    missing_temporary_folder,
    prepare_standard_streams,
)


@click.group(
    cls=Commands,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "wireproof demo                      serve, capture and show all three transports",
        "wireproof explain capture.pcapng    did it stream, who held it, how did it end",
        "wireproof decode capture.pcapng     what was on the wire, chunk by chunk",
        "wireproof capture --port 8000 -o api.pcapng -- pytest tests/",
    ),
)
@click.version_option(__version__, prog_name="wireproof", message="%(prog)s %(version)s")
def cli() -> None:
    """Show what a streaming HTTP API really put on the wire, packet by packet."""
    if (folder := missing_temporary_folder()) is not None:
        raise Unreadable(f"{folder}: no folder that temporary files can be written to")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    prepare_standard_streams()
    code = run(sys.argv[1:], is_own_process=True) if arguments is None else run(arguments)
    finish_standard_output()
    sys.exit(code)


def run(arguments: Sequence[str], *, is_own_process: bool = False) -> int:
    """Run a command and return its exit code; errors that users can cause are one line.

    With ``is_own_process`` a command that parses gives up the rights of this process first.
    """
    if "_WIREPROOF_COMPLETE" in os.environ:
        cli.main(prog_name="wireproof")  # click answers the shell, and exits
    # What a terminal cannot show is escaped there instead of ending the command.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    with ended_by_signals() if is_own_process else nullcontext():
        return _run(arguments, OWN_PROCESS if is_own_process else None)


def _run(arguments: Sequence[str], process: str | None) -> int:
    try:
        # Not cli.main(): that turns a broken pipe into exit code 1, which here means "no".
        with cli.make_context("wireproof", list(arguments), obj=process) as context:
            code = cli.invoke(context)
        sys.stdout.flush()
        return code or 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        say(_one_line(error))
        return error.exit_code
    except BrokenPipeError:
        give_up_standard_output()
        return UNREAD
    except OSError as error:
        say(because(STANDARD_OUTPUT, error))
        give_up_standard_output()
        return Unreadable.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED


def _one_line(error: click.ClickException) -> str:
    message = " ".join(error.format_message().split())
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"{message.rstrip('.')}. See: {error.ctx.command_path} --help"
    return message
