"""``wireproof redact``: a capture without its secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .choosing import CHOICE, refused
from .exits import NotWhole, Unreadable, because, called, examples, say
from .memory import MEMORY
from .parsing import parses
from .redaction import rule_options, said, say_not_looked_into

if TYPE_CHECKING:
    from ..redact import Rules


@click.command(
    short_help="Write a capture without its secrets.",
    epilog=examples(
        "wireproof redact capture.pcapng -o to-send.pcapng",
        "wireproof redact capture.pcapng --headers-only -o to-send.pcapng",
        "wireproof redact capture.pcapng --keep session_id --mask account -o to-send.pcapng",
        "wireproof redact capture.pcapng --all-content -o to-strangers.pcapng",
    ),
)
@parses()
@MEMORY
@click.argument("file", metavar="FILE")
@click.option(
    "-o", "--output", metavar="OUT", required=True, help="The pcapng file; - is standard output."
)
@click.option(
    "--headers-only",
    "policy",
    flag_value="headers",
    default="all",
    help="Mask Authorization, Cookie, Set-Cookie, X-Api-Key and the like, and nothing else.",
)
@click.option(
    "--all-content",
    is_flag=True,
    help="Mask all content, and keep only structure: what is not known to be structure is masked. "
    "Packet headers stay, with their addresses and ports.",
)
@rule_options
@refused(
    CHOICE,
    "redact writes whole files, so that what is left out is not taken for clean; to write only "
    "some exchanges, use wireproof report or export with --redact",
)
def redact(file: str, output: str, policy: Rules) -> None:
    """Write a copy of a capture with asterisks in place of its secrets.

    Keys, tokens, cookies and passwords are masked in header fields, URLs, bodies, events and
    messages, even when split across chunks or segments. Packet lengths, times and numbers stay the
    same, and checksums are corrected. Compressed payloads that hold a secret are masked whole; TLS
    secrets are left out. redact writes whole files: options that choose exchanges are refused.
    The copy is then decoded and searched for each secret: as is, in base64, hexadecimal, percent
    encoding and UTF-16, and inside codings. Anything still readable is reported, and the exit code
    is 1. Packets that are encrypted or truncated are kept and counted.

    Not every secret looks like one. With --all-content nothing has to: texts, targets, values of
    fields and names of servers are masked, whatever they say, and so is what is compressed,
    encrypted or of another protocol. What remains shows the same records, times and verdicts:
    lengths, methods, statuses, field names and values that standards define, members and words of
    JSON that an API defines, counts, and the addresses in packet headers. Comments and names in the
    file are left out. The copy is then decoded, and every word in it looked up.
    """
    from ..redact.capture import redact_capture
    from ..text.wording import count

    try:
        done = redact_capture(file, output, policy, say)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise Unreadable(because(file, error)) from error
    say(f"{called(output)}: {done.changed:,} of {count(done.packets, 'packet')} changed")
    if (found := said(done.report)) is not None:
        say(f"{called(output)}: {found}")
    if done.key_logs:
        say(f"{called(output)}: {count(done.key_logs, 'block')} of TLS secrets left out")
    say_not_looked_into(called(output), done.not_looked_into)
    if done.not_summed:
        packets = count(done.not_summed, "packet")
        say(f"{called(output)}: checksums not corrected: {packets} in too many fragments")
    if done.report.found.is_full:
        say(f"{called(output)}: found more secrets than the copy is searched for")
    if done.left:
        places = "; ".join(map(str, done.left))
        number = count(len(done.left), "place")
        what = "content" if policy.policy == "structure" else "secrets"
        raise NotWhole(
            f"{called(output)}: NOT safe to share: {what} can still be read in {number}: {places}"
        )
