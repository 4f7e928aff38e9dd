"""``wireproof decode``: what a capture file holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from ..views.kinds import KINDS, VIEWS, ExportKind, PacketsKind, default_view
from .choosing import Reading, reading_options
from .exits import Unreadable, because, examples, say
from .memory import MEMORY
from .parsing import parses
from .several import broken_off, left_of
from .showing import readers_of, showing_options, view_of_rows

if TYPE_CHECKING:
    from parsers.wants import Wants

    from ..analysis.exchange_filter import ExchangeFilter
    from ..views.kinds import Name

FILTERED = " or ".join(
    kind.name for kind in KINDS if not isinstance(kind, ExportKind) and kind.has_filters
)


@click.command(
    short_help="Show what a capture file holds.",
    epilog=examples(
        "wireproof decode capture.pcapng",
        "wireproof decode capture.pcapng --format ndjson | jq 'select(.record == \"sse_event\")'",
        "wireproof decode capture.pcapng --connection 3 -o connection-3.csv",
        "wireproof decode large.pcapng.gz --jobs 4 -o large.ndjson",
        "wireproof decode capture.pcapng --view wireshark --filter",
        "tcpdump -i lo -U -w - port 8000 | wireproof decode -",
    ),
)
@parses()
@MEMORY
@click.argument("file", metavar="FILE")
@reading_options
@click.option(
    "--format",
    "form",
    type=click.Choice(tuple(VIEWS)),
    help="Default: table on a terminal, else ndjson, or as OUT's suffix says.",
)
@click.option("-o", "--output", metavar="OUT", help="Write to this file.")
@click.option(
    "--view",
    type=click.Choice(tuple(VIEWS)),
    help="Same as --format: " + "; ".join(f"{kind.name} is {kind.summary}" for kind in KINDS) + ".",
)
@click.option(
    "--filter",
    "filters",
    is_flag=True,
    help=f"With --view {FILTERED}: below each element, the display filter that selects it.",
)
@showing_options
@click.option("--no-data", is_flag=True, help="Omit payloads; keep sizes and digests.")
@click.option(
    "--only",
    metavar="KIND,...",
    help="Only records of these kinds, named as in NDJSON: sse_event,body. Faster, too.",
)
@click.option("--records", is_flag=True, help="Show TLS records too, with their sizes and times.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Decode a file's connections in up to N processes, at most one per core; the output is "
    "the same. By default one per core, up to 8, for files over 20 MB, otherwise one. A table "
    "always takes one.",
)
def decode(
    file: str,
    form: str | None,
    output: str | None,
    view: str | None,
    filters: bool,
    no_data: bool,
    only: str | None,
    records: bool,
    jobs: int | None,
    select: str | None,
    raw: bool,
    reading: Reading,
) -> int:
    """Decode a capture file: HTTP messages, chunks, server-sent events, WebSocket frames.

    FILE is pcap or pcapng, plain or compressed with gzip or zstd; - is standard input.
    """
    from ..tasks.decode import DecodeOptions, run
    from ..tasks.worker_died import WorkerDied

    readers = readers_of(select, raw)
    asked = _one_view(view, form)
    is_asked = asked is not None or output not in (None, "-")
    name = view_of_rows(asked or _default_view(output), is_asked, readers)
    wanted = reading.wanted
    _check_view(name, wanted, filters)

    options = DecodeOptions(
        file,
        wanted,
        cast("Name", name),
        output,
        not no_data,
        records,
        jobs,
        filters,
        readers,
        reading.keylog,
        _wants(only, name),
    )
    try:
        found = run(options, say)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise Unreadable(because(file, error)) from error
    except WorkerDied as died:
        died.source = file
        return broken_off(died, left_of(output))
    if not found:
        say(f"{file}: {_nothing(wanted)}")
    return 0


def _one_view(view: str | None, form: str | None) -> str | None:
    """Return the view that is asked for by either option."""
    if view is not None and form is not None:
        raise click.UsageError(
            "--format and --view cannot be combined: they choose the same thing",
            click.get_current_context(),
        )
    return view or form


def _wants(only: str | None, view: str) -> Wants:
    """Return which records are wanted: of kinds that there are, in a view that shows records."""
    from parsers.wants import EVERYTHING, KINDS, Wants

    if only is None:
        return EVERYTHING
    context = click.get_current_context()
    if not isinstance(VIEWS[view], ExportKind):
        raise click.UsageError(f"--only works with ndjson, json and csv, not with {view}", context)
    names = [name.strip() for name in only.split(",")]
    for name in names:
        if name not in KINDS:
            known = ", ".join(KINDS)
            raise click.UsageError(
                f"--only: {name!r} is not a kind of record: expected {known}", context
            )
    return Wants(frozenset(map(KINDS.__getitem__, names)))


def _default_view(output: str | None) -> str:
    try:
        return default_view(output)
    except ValueError as error:
        raise Unreadable(because(output or "", error)) from error


def _check_view(name: str, wanted: ExchangeFilter, filters: bool) -> None:
    """Refuse what a view cannot be combined with."""
    context = click.get_current_context()
    kind = VIEWS[name]
    if filters and (isinstance(kind, ExportKind) or not kind.has_filters):
        raise click.UsageError(f"--filter requires --view {FILTERED}", context)
    if isinstance(kind, PacketsKind) and wanted.needs_heads:
        raise click.UsageError(
            f"{_option(wanted)} does not work with --view {name}: only --connection does", context
        )


def _option(wanted: ExchangeFilter) -> str:
    """Return the first option by which exchanges are chosen, but for --connection."""
    names = (name for name in wanted.__struct_fields__ if getattr(wanted, name) not in (None, ()))
    return "--" + next(name for name in names if name != "connection").replace("_", "-")


def _nothing(wanted: ExchangeFilter) -> str:
    """Return what a capture does not have, in the terms of the options."""
    from msgspec.structs import replace

    from ..analysis.exchange_filter import EVERYTHING

    connection = wanted.connection
    if not wanted.needs_heads:
        return "no TCP connection" if connection is None else f"no connection {connection}"
    where = "" if connection is None else f" in connection {connection}"
    if wanted == replace(EVERYTHING, transport=wanted.transport, connection=connection):
        return f"no {wanted.transport} exchange{where}"
    return f"no matching exchange{where}"
