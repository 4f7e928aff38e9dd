"""``wireproof plot``: the timeline of an exchange as a picture."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import click

from .choosing import Reading, reading_options
from .exits import Unreadable, because, examples, need, say, say_of
from .memory import MEMORY
from .parsing import parses

FORMS = {".png": "png", ".svg": "svg"}


def _quietly(_: Mapping[str, object]) -> Mapping[str, object]:
    """Let matplotlib not tell of the folder that it makes where the user has no home."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    return {}


@click.command(
    short_help="Draw the timeline of an exchange, for a paper or a README.",
    epilog=examples(
        "wireproof plot capture.pcapng -o timeline.png",
        "wireproof plot capture.pcapng --exchange 2/0 -o timeline.svg",
        "wireproof plot capture.pcapng --path '/v1/*' --verdict held -o held.png",
    ),
)
@parses("matplotlib.font_manager", before=_quietly)
@MEMORY
@click.argument("file", metavar="FILE")
@click.option(
    "-o", "--output", metavar="OUT", required=True, help="The picture, a .png or .svg file."
)
@reading_options
def plot(file: str, output: str, reading: Reading) -> None:
    """Draw one exchange over time: its packets, chunks, events or frames with their sizes,
    the bytes sent, the gaps, and how it ended.

    If several exchanges match, the one with the most elements is drawn.
    """
    from ..output import open_stream
    from ..plot.figure import draw
    from ..plot.timeline import read_timeline
    from ..tasks.decode import check_output

    form = FORMS.get(Path(output).suffix.lower())
    if form is None:
        raise click.UsageError(
            f"-o {output}: expected a name ending in .png or .svg", click.get_current_context()
        )
    need("plot", "a plot")
    faults: list[str] = []
    try:
        check_output(file, output)
        chosen, count = read_timeline(file, reading.wanted, reading.keylog, faults.append)
        with ExitStack() as stack:
            draw(chosen, open_stream(output, stack), form)
    except (OSError, ValueError) as error:
        raise Unreadable(because(file, error)) from error
    for said in faults:
        say_of(file, said)
    if count > 1:
        where = f"connection {chosen.connection} exchange {chosen.exchange}"
        matching = "matching " if reading.is_choice else ""
        say(f"{output}: {where}, of {count:,} {matching}exchanges")
