"""``wireproof follow``: the bytes of a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from .choosing import ENDS, HEADS, KEYLOG, PLACE, PORT, key_log, refused
from .exits import NotWhole, Unreadable, because, examples, say_of
from .memory import MEMORY
from .parsing import parses

if TYPE_CHECKING:
    from parsers.records import Sender

    from ..tasks.follow import Layer


@click.command(
    short_help="Show the bytes of a stream, like Wireshark's Follow.",
    epilog=examples(
        "wireproof follow capture.pcapng --connection 0",
        "wireproof follow capture.pcapng --connection 0 --sender server --raw > answer.bin",
        "wireproof follow capture.pcapng --exchange 3/1 --layer body",
    ),
)
@parses()
@MEMORY
@click.argument("file", metavar="FILE")
@refused(HEADS | PORT | ENDS, "give --connection N or --exchange C/E to follow")
@PLACE["connection"]
@PLACE["exchange"]
@KEYLOG
@click.option("--sender", type=click.Choice(("client", "server")), help="Only what this side sent.")
@click.option(
    "--layer",
    type=click.Choice(("tcp", "tls", "quic", "body")),
    default="tcp",
    show_default=True,
    help="TCP bytes in order; TLS content, decrypted; the bytes of an exchange's QUIC stream; or "
    "body content, with its codings undone.",
)
@click.option("--raw", is_flag=True, help="Write exactly the bytes and nothing else.")
@click.option("-o", "--output", metavar="OUT", help="Write to this file.")
def follow(
    file: str,
    connection: int | None,
    exchange: tuple[int, int | None] | None,
    keylog: str | None,
    sender: str | None,
    layer: str,
    raw: bool,
    output: str | None,
) -> int:
    """Show what each side of a connection sent, in order, with the packets that carried it.

    FILE is a capture; - is standard input. Unprintable bytes are escaped. Without --sender, both
    sides are shown in the order their bytes arrived. Bytes missing from the capture are marked, or
    left out with --raw; either way the exit code is 1.
    """
    from parsers.records import is_quic

    from ..tasks.follow import FollowOptions
    from ..tasks.follow import follow as run

    number, of = exchange or (None, None)
    connection = connection if of is None else of
    if connection is None:
        what = "give --connection N or --exchange C/E to follow; wireproof ls lists them"
        raise click.UsageError(what, click.get_current_context())
    if is_quic(connection) and layer not in ("quic", "body"):
        what = "this is QUIC: --layer quic follows the stream of an exchange, or body its content"
        raise Unreadable(f"{file}: {what}")
    wanted = FollowOptions(
        file,
        connection,
        number,
        cast("Sender | None", sender),
        cast("Layer", layer),
        key_log(keylog),
        raw,
        output,
    )
    try:
        done = run(wanted)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise Unreadable(because(file, error)) from error
    for said in done.faults.sentences():
        say_of(file, said)
    if done.missing:
        raise NotWhole(f"{file}: {done.missing:,} bytes are missing")
    return 0
