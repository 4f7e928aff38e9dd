"""``wireproof collect``: record for months, and export what is recorded."""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from .capturing import buffer_size_option, capture_problems, metrics_option
from .exits import Missing, Size, examples, need, say
from .memory import MEMORY
from .parsing import OWN_PROCESS
from .redaction import redaction_options

if TYPE_CHECKING:
    from ..collect.collecting import Collected
    from ..redact import Rules


@click.command(
    short_help="Record for months: a ring of files, a data set, metrics.",
    epilog=examples(
        "wireproof collect --port 8000 --ring /var/lib/wireproof -o dataset/",
        "wireproof collect --port 8000 --ring ring/ -o s3://bucket/wire --metrics 0.0.0.0:9464",
        "wireproof collect --port 80 --port 8000 -i eth0 --ring ring/ -o dataset/ --disk 20G",
        "wireproof query dataset/ --name first-token",
    ),
)
@MEMORY
@click.option(
    "--port",
    "ports",
    type=click.IntRange(1, 65535),
    metavar="N",
    multiple=True,
    required=True,
    help="Record the traffic on it; several may be given.",
)
@click.option(
    "--ring", metavar="DIR", required=True, help="Where files of packets are; for this alone."
)
@click.option(
    "-o",
    "--output",
    metavar="DATASET",
    required=True,
    help="The data set: a folder, or a URL that fsspec opens.",
)
@click.option(
    "-i",
    "--interface",
    metavar="NAME",
    default="any",
    show_default=True,
    help='Where packets go; "any" is all interfaces.',
)
@click.option("--host", metavar="NAME", help="Where captures are from; this machine's name.")
@click.option(
    "--max-size",
    type=Size(least=1024),
    metavar="SIZE",
    default="128M",
    show_default=True,
    help="Begin another file before one grows larger.",
)
@click.option(
    "--max-time",
    type=click.FloatRange(min=0.1),
    metavar="S",
    default=300.0,
    show_default=True,
    help="Begin another file when one is so many seconds old.",
)
@click.option(
    "--disk",
    type=Size(least=4096),
    metavar="SIZE",
    default="4G",
    show_default=True,
    help="What the ring may take; those that are in the data set go first, from the oldest on.",
)
@metrics_option
@buffer_size_option()
@click.option("--data", is_flag=True, help="Keep payloads in the data set; without it sizes stay.")
@click.option("--keylog", metavar="KEYS", help="Decrypt TLS with this key log.")
@redaction_options
def collect(
    ports: tuple[int, ...],
    ring: str,
    output: str,
    interface: str,
    host: str | None,
    max_size: int,
    max_time: float,
    disk: int,
    metrics: tuple[str, int] | None,
    buffer_size: int | None,
    data: bool,
    keylog: str | None,
    policy: Rules,
) -> int:
    """Record the traffic of a host for months, and make a data set of it.

    Packets go to files in DIR. A file that is whole is put into the data set, a capture for each,
    by a process that has no rights; then it stays as long as there is room for it. What is left of
    an earlier start is exported first.

    Where the disk or the data set fails, packets and files wait, and a line says so, and another
    when it works again. When there is no more room, the kernel drops packets and counts them: files
    that are not exported are never deleted. Ctrl-C and SIGTERM end the recording and export what
    was recorded; SIGHUP does nothing. The exit code is 1 if files are left to be exported.

    It takes the right to open a packet socket, CAP_NET_RAW, and no other, on Linux alone.
    docs/collect.md says how systemd and Kubernetes start it.
    """
    if sys.platform != "linux":
        raise Missing("collect records through a packet socket, which only Linux has")
    need("parquet", "a data set")
    if "://" in output:
        need("fleet", "a URL")
    if metrics is not None:
        need("metrics", "--metrics")
    if disk < 2 * max_size:
        context = click.get_current_context()
        raise click.UsageError("--disk: room for two files of --max-size is the least", context)
    from capture.frames import BUFFER_SIZE
    from parsers import Memory

    from ..collect.collecting import CollectOptions
    from ..collect.collecting import collect as run

    options = CollectOptions(
        ports,
        ring,
        output,
        host or socket.gethostname(),
        interface,
        max_size,
        max_time,
        disk,
        buffer_size or BUFFER_SIZE,
        metrics,
        policy,
        data,
        keylog,
        Memory.usual,
        click.get_current_context().find_root().obj == OWN_PROCESS,
    )
    with capture_problems():
        collected = run(options, _Telling(ports, interface, ring, output))
    _say_came_to(collected, ring)
    return 1 if collected.waiting else 0


def _say_came_to(collected: Collected, ring: str) -> None:
    from ..text.wording import count

    captured, dropped = collected.statistics
    files = count(collected.exported, "file")
    said = f"{captured:,} packets recorded, {dropped:,} dropped; {files} exported"
    if collected.waiting:
        said += f", {collected.waiting:,} left in {ring} for the next start"
    say(said)


class _Telling:
    """Says on standard error what happens."""

    def __init__(self, ports: tuple[int, ...], interface: str, ring: str, output: str) -> None:
        word = "port" if len(ports) == 1 else "ports"
        where = "all interfaces" if interface == "any" else interface
        named = f"{word} {', '.join(map(str, ports))} on {where}"
        self._began = f"recording {named} into {ring}, which goes to {output}; Ctrl-C ends it"

    def say(self, message: str) -> None:
        with suppress(OSError):  # where nobody listens, or that disk is full too, recording goes on
            say(message)

    def served(self, url: str) -> None:
        say(f"metrics are at {url}")

    def ready(self) -> None:
        say(self._began)
