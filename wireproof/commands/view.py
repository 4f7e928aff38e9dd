"""``wireproof view``: the inspector in a browser."""

from __future__ import annotations

import click

from .capturing import capture_problems
from .exits import Unreadable, because, examples, need, say


@click.command(
    short_help="Look at a capture, or at packets as they arrive, in a browser.",
    epilog=examples(
        "wireproof view capture.pcapng",
        "wireproof view --live --port 8000",
        "wireproof view --live --port 8000 --keep api.pcapng",
        "tcpdump -i lo -U -w - port 8000 | wireproof view -",
    ),
)
@click.argument("file", metavar="[FILE]", required=False)
@click.option("--live", is_flag=True, help="Record packets, and show them as they arrive.")
@click.option(
    "--port", type=click.IntRange(1, 65535), metavar="N", help="With --live: the port to record."
)
@click.option(
    "--interface", metavar="NAME", help="With --live: where to record.", default="lo",
    show_default=True,
)  # fmt: skip
@click.option("--keep", metavar="FILE", help="With --live: write the packets to this file too.")
@click.option(
    "--page-port",
    type=click.IntRange(0, 65535),
    metavar="N",
    default=0,
    help="Where the page is served, on loopback; 0, the default, takes a free port.",
)
@click.option("--no-browser", is_flag=True, help="Print where the page is, and open no browser.")
def view(
    file: str | None,
    live: bool,
    port: int | None,
    interface: str,
    keep: str | None,
    page_port: int,
    no_browser: bool,
) -> None:
    """Show a capture in a browser: connections, timeline, panels, bytes.

    FILE is pcap or pcapng, plain or compressed with gzip or zstd; - is standard input. The page is
    served on loopback, for the browser that is given its address and nobody else, until Ctrl-C.
    """
    _check(file, live, port, keep)
    need("inspector", "the inspector")
    from ..web import viewing

    page = viewing.Page(page_port, opens_browser=not no_browser, say=say)
    if live:
        assert port is not None
        with capture_problems():
            viewing.view_live(port, interface, keep, page)
        return
    assert file is not None
    try:
        viewing.view_file(file, page)
    except (OSError, ValueError) as error:
        raise Unreadable(because(file, error)) from error


def _check(file: str | None, live: bool, port: int | None, keep: str | None) -> None:
    """Refuse what cannot be combined."""
    context = click.get_current_context()
    if live and file is not None:
        raise click.UsageError("FILE or --live, not both", context)
    if not live and file is None:
        raise click.UsageError("a FILE is missing, or --live --port N", context)
    if live and port is None:
        raise click.UsageError("--live needs --port N: which port is recorded", context)
    if not live and (port is not None or keep is not None):
        raise click.UsageError("--port and --keep go with --live only", context)
