"""``wireproof annotate``: a capture with comments for Wireshark."""

from __future__ import annotations

import click

from .exits import Unreadable, because, examples, say


@click.command(
    short_help="Write a capture with comments for Wireshark.",
    epilog=examples(
        "wireproof annotate capture.pcapng -o commented.pcapng",
        "tshark -r commented.pcapng -Y frame.comment -T fields -e frame.number -e frame.comment",
    ),
)
@click.argument("file", metavar="FILE")
@click.option(
    "-o", "--output", metavar="OUT", required=True, help="The pcapng file; - is standard output."
)
def annotate(file: str, output: str) -> None:
    """Write a capture anew, with comments that name what each packet carries.

    Bytes and times of packets stay as they are, and so do comments and whatever else FILE says;
    a pcap file becomes pcapng. Wireshark shows the comments above each packet.
    """
    from ..tasks.annotate import annotate as write_annotated

    try:
        done = write_annotated(file, output, say)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise Unreadable(because(file, error)) from error
    say(f"{output}: {done.commented:,} of {done.packets:,} packets have a comment")
