"""``wireproof export``: a capture for other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from .choosing import Reading, reading_options
from .exits import Unreadable, because, called, examples, need, say
from .parsing import parses
from .redaction import redaction_options, said

if TYPE_CHECKING:
    from ..export import ExportFormat
    from ..redact import Policy


@click.command(
    short_help="Write a capture for other programs: HAR, CSV, Parquet.",
    epilog=examples(
        "wireproof export capture.pcapng -o capture.har      into DevTools' Network panel",
        "wireproof export capture.pcapng --redact -o to-send.har",
        "wireproof export capture.pcapng --format parquet -o capture.parquet",
        "wireproof export capture.pcapng --transport sse --format csv | head",
        "wireproof export capture.pcapng --verdict held -o held.har",
    ),
)
@parses()
@click.argument("file", metavar="FILE")
@click.option(
    "--format",
    "form",
    type=click.Choice(("har", "csv", "parquet")),
    help="What the suffix of OUT says, else har.",
)
@click.option("-o", "--output", metavar="OUT", help="Write to this file.")
@reading_options
@redaction_options
@click.option(
    "--raw-cells",
    is_flag=True,
    help="CSV: leave cells as they are that a spreadsheet would take for a formula.",
)
def export(
    file: str,
    form: str | None,
    output: str | None,
    policy: str,
    raw_cells: bool,
    reading: Reading,
) -> None:
    """Write a capture as a HAR file, or as a table with a row for each element.

    HAR files open in the Network panel of DevTools, with WebSocket messages and server-sent events.
    Secrets in known header fields are masked unless --no-redact is given.
    """
    from ..export import format_of
    from ..export.run import ExportOptions, run

    if form is None:
        try:
            form = format_of(output)
        except ValueError as error:
            raise Unreadable(because(output or "", error)) from error
    if form == "parquet":
        need("parquet", "Parquet")
    wanted = ExportOptions(
        file,
        cast("ExportFormat", form),
        output,
        cast("Policy", policy),
        reading.wanted,
        reading.keylog,
        raw_cells,
    )
    try:
        done = run(wanted)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise Unreadable(because(file, error)) from error
    if not done.written:
        say(f"{file}: nothing to export")
    if (found := said(done.report)) is not None:
        say(f"{called(output)}: {found}")
