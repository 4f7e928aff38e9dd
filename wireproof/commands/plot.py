"""``wireproof plot``: the timeline of an exchange as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from .exits import Unreadable, because, examples, need, say

FORMS = {".png": "png", ".svg": "svg"}


@click.command(
    short_help="Draw the timeline of an exchange, for a paper or a README.",
    epilog=examples(
        "wireproof plot capture.pcapng -o timeline.png",
        "wireproof plot capture.pcapng --connection 2 --exchange 0 -o timeline.svg",
    ),
)
@click.argument("file", metavar="FILE")
@click.option(
    "-o", "--output", metavar="OUT", required=True, help="The picture: a name in .png or .svg."
)
@click.option("--connection", type=click.IntRange(min=0), metavar="N", help="Of this connection.")
@click.option("--exchange", type=click.IntRange(min=0), metavar="N", help="This exchange of it.")
def plot(file: str, output: str, connection: int | None, exchange: int | None) -> None:
    """Draw one exchange over time: its packets, chunks, events or frames with their sizes,
    the bytes that were sent, the gaps, and how it ended.

    Unless it is named, the exchange with most elements is drawn.
    """
    from ..plot.figure import draw
    from ..plot.timeline import read_timelines
    from ..tasks.decode import check_output

    form = FORMS.get(Path(output).suffix.lower())
    if form is None:
        raise click.UsageError(
            f"-o {output}: a name in .png or .svg is expected", click.get_current_context()
        )
    need("plot", "a plot")
    try:
        check_output(file, output)
        timelines = read_timelines(file, connection)
        chosen = timelines.choose(connection, exchange)
        draw(chosen, output, form)
    except (OSError, ValueError) as error:
        raise Unreadable(because(file, error)) from error
    if timelines.count > 1 and (connection is None or exchange is None):
        where = f"connection {chosen.connection} exchange {chosen.exchange}"
        of = "" if connection is None else " of the connection"
        say(f"{output}: {where}, of {timelines.count:,} exchanges{of}")
