"""``wireproof report``: a capture as one page that can be sent to someone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .choosing import Reading, reading_options
from .exits import Unreadable, because, called, examples, say
from .memory import MEMORY
from .parsing import parses
from .redaction import redaction_options, said, say_not_looked_into
from .several import broken_off, left_of

if TYPE_CHECKING:
    from ..redact import Rules


@click.command(
    short_help="Write a capture as one self-contained page.",
    epilog=examples(
        "wireproof report capture.pcapng -o report.html",
        "wireproof report capture.pcapng --redact -o to-send.html",
        "wireproof report capture.pcapng --exchange 7 -o seventh.html",
    ),
)
@parses()
@MEMORY
@click.argument("file", metavar="FILE")
@click.option(
    "-o", "--output", metavar="OUT", required=True, help="The page; - is standard output."
)
@redaction_options
@reading_options
def report(file: str, output: str, policy: Rules, reading: Reading) -> int:
    """Write the inspector of a capture as one page that opens from disk and needs no network.

    Secrets are masked in headers, bodies and raw bytes alike, at the same length. Only its owner
    can read the file. If exchanges are chosen, the page has those, and all packets of their
    connections. If anything is masked, TLS is not decrypted.
    """
    from ..tasks.worker_died import WorkerDied
    from ..text.wording import count, part_of
    from ..web.reporting import report_capture

    try:
        done = report_capture(file, output, policy, say, reading.wanted, keylog=reading.keylog)
    except BrokenPipeError:
        raise
    except WorkerDied as died:
        died.source = file
        return broken_off(died, left_of(output))
    except (OSError, ValueError) as error:
        raise Unreadable(because(file, error)) from error
    name = called(output)
    packets = part_of(done.held, done.packets, "packet")
    say(f"{name}: {packets}, {count(done.exchanges, 'exchange')}")
    is_whole = done.held == done.packets
    if is_whole and (masked := said(done.report)) is not None:
        say(f"{name}: {masked}")
    elif not is_whole and done.masked:
        say(f"{name}: secrets masked in {count(done.masked, 'packet')} of these")
    if policy.policy != "none":
        say_not_looked_into(
            name if is_whole else f"{name}: of the whole capture", done.not_looked_into
        )
        if done.not_looked_into.get("encrypted by TLS"):
            say("a page that masks secrets does not decrypt TLS; --no-redact shows what it carries")
    return 0
