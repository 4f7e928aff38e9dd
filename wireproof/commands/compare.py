"""``wireproof compare``: our decoding beside Wireshark's."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, cast

import click

from .choosing import Reading, reading_options
from .exits import Missing, Unreadable, because, examples, say_of
from .memory import MEMORY
from .parsing import parses

if TYPE_CHECKING:
    from ..wireshark.side_by_side import Form


@click.command(
    short_help="Compare our decoding with Wireshark's.",
    epilog=examples(
        "wireproof compare capture.pcapng",
        "wireproof compare capture.pcapng --path '/v1/*'",
        "wireproof compare capture.pcapng --format json | jq '.rows[] | select(.explanation)'",
    ),
)
@parses()
@MEMORY
@click.argument("file", metavar="FILE")
@click.option(
    "--format",
    "form",
    type=click.Choice(("table", "json")),
    default="table",
    show_default=True,
    help="Differences and counts, or every row.",
)
@reading_options
def compare(file: str, form: str, reading: Reading) -> int:
    """Compare our decoding of a capture with tshark's, field by field.

    Exits with 0 if both agree except for known, cited limits of Wireshark, with 1 if they do not,
    and with 3 if tshark is missing.
    """
    from ..output import open_text
    from ..wireshark.locate import TsharkMissing
    from ..wireshark.run import TsharkFailed
    from ..wireshark.side_by_side import run as run_compare

    faults: list[str] = []
    try:
        with ExitStack() as stack:
            write = open_text(None, stack, is_data=form != "table").write
            agrees = run_compare(
                file, cast("Form", form), write, reading.wanted, reading.keylog, faults.append
            )
    except TsharkMissing as error:
        raise Missing(str(error)) from error
    except TsharkFailed as error:
        raise Unreadable(f"{file}: {error}") from error
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise Unreadable(because(file, error)) from error
    for said in faults:
        say_of(file, said)
    return 0 if agrees else 1
