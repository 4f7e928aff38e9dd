"""``wireproof collect``: record for months, and export what is recorded."""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from .capturing import buffer_size_option, capture_problems, metrics_option
from .exits import Missing, Seconds, Size, examples, need, say
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
    help="Record traffic on this port; may be repeated.",
)
@click.option(
    "--ring", metavar="DIR", required=True, help="Directory for packet files, and nothing else."
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
    help='Interface to record; "any" is all of them.',
)
@click.option(
    "--host", metavar="NAME", help="Host name of the captures; by default this machine's."
)
@click.option(
    "--max-size",
    type=Size(least=1024),
    metavar="SIZE",
    default="128M",
    show_default=True,
    help="Start another file before one exceeds SIZE.",
)
@click.option(
    "--max-time",
    type=Seconds(min=0.1),
    metavar="S",
    default=300.0,
    show_default=True,
    help="Start another file when one is S seconds old.",
)
@click.option(
    "--disk",
    type=Size(least=4096),
    metavar="SIZE",
    default="4G",
    show_default=True,
    help="Disk space for the ring; exported files are deleted to stay below it, oldest first.",
)
@metrics_option
@buffer_size_option()
@click.option("--data", is_flag=True, help="Keep payloads in the data set, not just sizes.")
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
    """Record a host's traffic for months, and make a data set of it.

    Packets go to files in DIR. A process without rights exports each finished file to the data set
    as one capture; the file then stays for as long as there is room. Files left over from an
    earlier run are exported first.

    If the disk or the data set fails, packets and files wait. One line reports the failure, another
    the recovery. When space runs out, the kernel drops packets and counts them: a file that has not
    been exported is never deleted. Ctrl-C and SIGTERM stop the recording and export what was
    recorded; SIGHUP is ignored. The exit code is 1 if any file is left to export.

    Linux only. It needs a single capability, CAP_NET_RAW, to open a packet socket.
    docs/collect.md shows how to run it under systemd and Kubernetes.
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
        raise click.UsageError("--disk must hold at least two files of --max-size", context)
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
        said += f", {collected.waiting:,} left in {ring} for the next run"
    say(said)


class _Telling:
    """Says on standard error what happens."""

    def __init__(self, ports: tuple[int, ...], interface: str, ring: str, output: str) -> None:
        word = "port" if len(ports) == 1 else "ports"
        where = "all interfaces" if interface == "any" else interface
        named = f"{word} {', '.join(map(str, ports))} on {where}"
        self._began = f"recording {named} into {ring}, exported to {output}; Ctrl-C stops it"

    def say(self, message: str) -> None:
        with suppress(OSError):  # where nobody listens, or that disk is full too, recording goes on
            say(message)

    def served(self, url: str) -> None:
        say(f"metrics are at {url}")

    def ready(self) -> None:
        say(self._began)
