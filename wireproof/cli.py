"""The command line: arguments in, one exit code out.

Strategy: ``commands`` has a file for each command; this module runs the one that is wanted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from typing import NoReturn

import click

from . import __version__
from .commands import Commands
from .commands.exits import examples
from .commands.parsing import OWN_PROCESS
from .ending import ended_by_signals
from .outcome import exit_code
from .output import escape_standard_streams, finish_standard_output, prepare_standard_streams


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
    escape_standard_streams()

    def command() -> int | None:
        # Not cli.main(): that turns a broken pipe into exit code 1, which here means "no".
        process = OWN_PROCESS if is_own_process else None
        with cli.make_context("wireproof", list(arguments), obj=process) as context:
            code: int | None = cli.invoke(context)
        return code

    with ended_by_signals() if is_own_process else nullcontext():
        return exit_code(command)
