"""``wireproof annotate``: a capture with comments for Wireshark."""

from __future__ import annotations

import click

from .choosing import Reading, reading_options
from .exits import Unreadable, because, called, examples, say
from .memory import MEMORY
from .parsing import parses


@click.command(
    short_help="Write a capture with comments for Wireshark.",
    epilog=examples(
        "wireproof annotate capture.pcapng -o commented.pcapng",
        "wireproof annotate capture.pcapng --path '/v1/*' --verdict fault -o commented.pcapng",
        "tshark -r commented.pcapng -Y frame.comment -T fields -e frame.number -e frame.comment",
    ),
)
@parses()
@MEMORY
@click.argument("file", metavar="FILE")
@click.option(
    "-o", "--output", metavar="OUT", required=True, help="The pcapng file; - is standard output."
)
@reading_options
def annotate(file: str, output: str, reading: Reading) -> None:
    """Write a copy of a capture with comments that name what each packet carries.

    Packet bytes and times stay as they are, and so do comments and everything else in FILE; a pcap
    file becomes pcapng. Wireshark shows the comments above each packet. All packets are written;
    the options that choose exchanges decide which ones get comments.
    """
    from ..tasks.annotate import annotate as write_annotated

    try:
        done = write_annotated(file, output, say, reading.wanted, reading.keylog)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise Unreadable(because(file, error)) from error
    say(f"{called(output)}: {done.commented:,} of {done.packets:,} packets have a comment")
