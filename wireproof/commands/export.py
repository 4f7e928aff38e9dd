"""``wireproof export``: a capture for other programs, or many as a data set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from .choosing import Reading, reading_options
from .exits import Unreadable, because, called, examples, need, say, say_of
from .memory import MEMORY
from .parsing import parses
from .redaction import redaction_options, said
from .several import broken_off
from .spreading import need_stores, needs_network, spreading_options, stores

if TYPE_CHECKING:
    from ..export import ExportFormat
    from ..redact import Rules
    from ..tables.exporting import ExportTally


def is_data_set(files: tuple[str, ...], output: str | None) -> bool:
    """Whether the output is a data set: of several captures, or a folder or URL to put them in."""
    is_many = len(files) > 1 or Path(files[0]).is_dir() or _is_pattern(files[0])
    is_folder = output is not None and ("://" in output or output.endswith("/"))
    return is_many or is_folder or (output not in (None, "-") and Path(str(output)).is_dir())


def _is_pattern(name: str) -> bool:
    return any(char in name for char in "*?[") and not Path(name).exists()


@click.command(
    short_help="Write captures for other programs: HAR, CSV, Parquet, a data set.",
    epilog=examples(
        "wireproof export capture.pcapng -o capture.har      into DevTools' Network panel",
        "wireproof export capture.pcapng --redact -o to-send.har",
        "wireproof export capture.pcapng --format parquet -o capture.parquet",
        "wireproof export capture.pcapng --transport sse --format csv | head",
        "wireproof export capture.pcapng --verdict held -o held.har",
        "wireproof export rings/*.pcapng --format parquet -o dataset/",
        "wireproof export rings/ --format parquet -o dataset/ --workers 4",
    ),
)
@parses("pyarrow", unless=needs_network)
@MEMORY
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(("har", "csv", "parquet")),
    help="By default as OUT's suffix says, else har; a data set is always parquet.",
)
@click.option("-o", "--output", metavar="OUT", help="Write to this file or folder.")
@reading_options
@redaction_options
@click.option(
    "--raw-cells",
    is_flag=True,
    help="CSV: do not escape cells that a spreadsheet would take for a formula.",
)
@click.option("--data", is_flag=True, help="Data set: keep payloads, not just sizes.")
@click.option("--packets", is_flag=True, help="Data set: add a table of all packets.")
@spreading_options
def export(
    files: tuple[str, ...],
    form: str | None,
    output: str | None,
    policy: Rules,
    raw_cells: bool,
    data: bool,
    packets: bool,
    reading: Reading,
    **spread: object,
) -> int | None:
    """Write a capture as a HAR file, or as a table with one row per element.

    HAR files open in DevTools' Network panel, with WebSocket messages and server-sent events.
    Secrets in known header fields are masked unless --no-redact is given.

    Several FILEs, a folder, a pattern or a URL, or a folder as OUT, make a data set: tables of
    exchanges, elements, verdicts, diagnostics and connections, as Parquet files of up to 250
    captures each. Captures already in the data set are skipped. Consecutive files of one recorder
    are one capture. Exits with 1 if a capture cannot be read.
    """
    if is_data_set(files, output):
        return _data_set(files, form, output, policy, data, packets, reading, spread)
    _refuse_spread(data, packets, spread)
    _one(files[0], form, output, policy, raw_cells, reading)
    return None


def _refuse_spread(data: bool, packets: bool, spread: Mapping[str, object]) -> None:
    if data or packets or any(spread.values()):
        wanted = "these options make a data set: give a folder, -o DIR/"
        raise click.UsageError(wanted, click.get_current_context())


def _data_set(
    files: tuple[str, ...],
    form: str | None,
    output: str | None,
    policy: Rules,
    data: bool,
    packets: bool,
    reading: Reading,
    spread: Mapping[str, object],
) -> int:
    context = click.get_current_context()
    if form not in (None, "parquet"):
        raise click.UsageError(f"{form} holds one capture: several need --format parquet", context)
    if output in (None, "-"):
        raise click.UsageError("several captures make a data set: name its folder with -o", context)
    if reading.is_choice:
        raise click.UsageError("a data set has all exchanges: select from it with a query", context)
    assert output is not None
    need("parquet", "a data set")
    need_stores((*files, output))
    if spread["workers"] or spread["scheduler"]:
        if spread["jobs"]:
            raise click.UsageError("give --jobs, or --workers or --scheduler, not both", context)
        need("fleet", "--workers")
    from parsers import Memory

    from ..tables.exporting import ExportJob, run
    from ..tables.kinds import KINDS, USUAL
    from ..tables.reading import TableOptions
    from ..tasks.worker_died import WorkerDied

    kinds = KINDS if packets else USUAL
    host = cast("str | None", spread["host"])
    options = TableOptions(kinds, policy, data, host, reading.keylog, Memory.usual)
    job = ExportJob(
        files,
        output,
        options,
        bool(spread["merge"]),
        not spread["separate"],
        cast(int, spread["workers"]),
        cast("str | None", spread["scheduler"]),
        cast("int | None", spread["jobs"]),
        bool(spread["check"]),
    )
    try:
        with stores((*files, output)):
            tally = run(job, say)
    except WorkerDied as died:
        return broken_off(died, "the work done before it is kept")
    except (OSError, ValueError) as error:
        raise Unreadable(because(output, error)) from error
    if tally.faulty:
        say(tally.faulty)
    say(f"{output}: {_came_to(tally)}")
    return 1 if tally.unreadable else 0


def _came_to(tally: ExportTally) -> str:
    from ..text.wording import count

    captures = tally.captures - tally.unreadable
    new = "" if tally.made == captures else f", {tally.made:,} of them new"
    rest = f"; {count(tally.unreadable, 'capture')} could not be read" * bool(tally.unreadable)
    return f"{count(captures, 'capture')}{new}, {count(tally.rows, 'row')}{rest}"


def _one(
    file: str,
    form: str | None,
    output: str | None,
    policy: Rules,
    raw_cells: bool,
    reading: Reading,
) -> None:
    """Write one capture into one file."""
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
        policy,
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
    for fault in done.faults.sentences():
        say_of(file, fault)
    if not done.written:
        say(f"{file}: nothing to export")
    if (found := said(done.report)) is not None:
        say(f"{called(output)}: {found}")
