"""``wireproof decode``: what a capture file holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from .exits import TRANSPORTS, Unreadable, because, examples, say

if TYPE_CHECKING:
    from parsers.records import Transport

    from ..views import Format


@click.command(
    short_help="Show what a capture file holds.",
    epilog=examples(
        "wireproof decode capture.pcapng",
        "wireproof decode capture.pcapng --transport sse --format ndjson | jq .data",
        "wireproof decode capture.pcapng --connection 3 -o connection-3.csv",
        "wireproof decode large.pcapng.gz --jobs 4 -o large.ndjson",
        "wireproof decode capture.pcapng --view wireshark --filter",
        "tcpdump -i lo -U -w - port 8000 | wireproof decode -",
    ),
)
@click.argument("file", metavar="FILE")
@click.option(
    "--transport", type=click.Choice(TRANSPORTS), help="Only exchanges of this transport."
)
@click.option(
    "--connection",
    type=click.IntRange(min=0),
    metavar="N",
    help="Only this TCP connection, counted from 0 as Wireshark's tcp.stream.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(("table", "ndjson", "json", "csv")),
    help="table on a terminal; else ndjson, or what the suffix of OUT says.",
)
@click.option("-o", "--output", metavar="OUT", help="Write to this file.")
@click.option(
    "--view",
    type=click.Choice(("wireshark", "devtools")),
    help="Not records but tshark's packet list, or the panels of a browser's DevTools.",
)
@click.option(
    "--filter",
    "filters",
    is_flag=True,
    help="With --view: beneath each element the Wireshark display filter that selects it.",
)
@click.option("--no-data", is_flag=True, help="Leave payloads out; sizes and digests stay.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    default=1,
    show_default=True,
    help="Decode a file's connections in up to N processes, at most one a core; the output is "
    "the same. A table is made by one.",
)
def decode(
    file: str,
    transport: str | None,
    connection: int | None,
    form: str | None,
    output: str | None,
    view: str | None,
    filters: bool,
    no_data: bool,
    jobs: int,
) -> int:
    """Decode a capture file: HTTP messages, chunks, server-sent events, WebSocket frames.

    FILE is pcap or pcapng, plain or compressed with gzip or zstd; - is standard input.
    """
    from ..tasks.decode import ToolView, Wanted, run
    from ..tasks.jobs import WorkerDied

    _check_view(view, form, transport, filters)

    wanted = Wanted(
        file,
        cast("Transport | None", transport),
        connection,
        cast("Format | None", form),
        output,
        not no_data,
        jobs,
        cast("ToolView | None", view),
        filters,
    )
    try:
        found = run(wanted, say)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise Unreadable(because(file, error)) from error
    except WorkerDied as error:
        say(f"{file}: {error}")
        return error.exit_code
    if not found:
        say(f"{file}: {_nothing(transport, connection)}")
    return 0


def _check_view(view: str | None, form: str | None, transport: str | None, filters: bool) -> None:
    """Refuse what a view cannot be combined with."""
    context = click.get_current_context()
    if view is None and filters:
        raise click.UsageError("--filter goes with --view only", context)
    if view is not None and form is not None:
        raise click.UsageError("--format and --view: a view has a format of its own", context)
    if view == "wireshark" and transport is not None:
        raise click.UsageError(
            "--transport and --view wireshark: a packet list is of a --connection", context
        )


def _nothing(transport: str | None, connection: int | None) -> str:
    """Return what a capture does not have, in the terms of the options."""
    if transport is None:
        return "no TCP connection" if connection is None else f"no connection {connection}"
    where = "" if connection is None else f" in connection {connection}"
    return f"no {transport} exchange{where}"
