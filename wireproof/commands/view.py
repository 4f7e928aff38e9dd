"""``wireproof view``: the inspector in a browser."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import click

from .capturing import backend_option, capture_problems, no_keys_option, say_keys
from .choosing import Reading, view_reading_options
from .exits import Unreadable, because, examples, need, say
from .memory import MEMORY
from .parsing import parses
from .spreading import need_stores, stores

if TYPE_CHECKING:
    from ..web.browser import Browser

MAX_FILES = 16
"""Captures that are shown together."""


def _browser(values: Mapping[str, object]) -> Mapping[str, object]:
    """Return what opens the page, where there is something to open it with."""
    if values["no_browser"]:
        return {"browser": None}
    from ..web.browser import Browser, has_display

    return {"browser": Browser() if has_display() else None}


def _folder_of_captures(values: Mapping[str, object]) -> str | None:
    """Return where captures of a data set are that are named as they were from here: below here."""
    given = values["given"]
    is_folder = isinstance(given, tuple) and len(given) == 1 and Path(given[0]).is_dir()
    return str(Path.cwd()) if is_folder else None


@click.command(
    short_help="Look at a capture, a data set, or packets as they arrive, in a browser.",
    epilog=examples(
        "wireproof view capture.pcapng",
        "wireproof view capture.pcapng --path '/v1/*' --verdict fault",
        "wireproof view client.pcapng server.pcapng        both legs of what a proxy passed on",
        "wireproof view dataset/ --captures rings/         distributions, and the worst exchanges",
        "wireproof view --live --port 8000",
        "wireproof view --live --port 8000 --keep api.pcapng",
        "wireproof view --live --port 8000 -- curl -N http://127.0.0.1:8000/chat",
        "tcpdump -i lo -U -w - port 8000 | wireproof view -",
    ),
)
@parses(before=_browser, reads=_folder_of_captures, listens="page_port", unless="live")
@MEMORY
@click.argument("given", metavar="[FILE ... | DATASET | -- COMMAND ...]", nargs=-1)
@click.option("--live", is_flag=True, help="Record packets, and show them as they arrive.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    help="With --live: the port to record; otherwise: only connections to or from this port.",
)
@click.option(
    "--interface", metavar="NAME", help="With --live: interface to record.", default="lo",
    show_default=True,
)  # fmt: skip
@click.option("--keep", metavar="FILE", help="With --live: also write the packets to this file.")
@click.option(
    "--page-port",
    type=click.IntRange(0, 65535),
    metavar="N",
    default=0,
    help="Port of the page, on loopback; 0, the default, picks a free one.",
)
@click.option(
    "--captures",
    metavar="DIR",
    multiple=True,
    help="With DATASET: where its captures are now, if they have moved. May be repeated.",
)
@view_reading_options
@click.option("--no-browser", is_flag=True, help="Print the page's address, and open no browser.")
@no_keys_option
@backend_option
def view(
    given: tuple[str, ...],
    live: bool,
    port: int | None,
    interface: str,
    keep: str | None,
    page_port: int,
    captures: tuple[str, ...],
    no_browser: bool,
    no_keys: bool,
    backend: str | None,
    reading: Reading,
    browser: Browser | None,
) -> int:
    """Show a capture in a browser: connections, timeline, panels, bytes.

    FILE is pcap or pcapng, plain or compressed with gzip or zstd; - is standard input. Given
    several, the client's first, it shows the legs of each exchange one below the other. The page is
    served on loopback until Ctrl-C, only to the browser that has its address. For a DATASET made
    by "wireproof export" or "collect", it shows distributions and the worst exchanges, with links
    into their captures.
    With --live, recording stops when COMMAND ends, if there is one. The first backend that works
    does the recording, as in "wireproof capture"; given a COMMAND, it needs no special rights.
    """
    _check(given, live, port, keep, backend)
    if live and reading.wanted.needs_end:
        raise click.UsageError(
            "--min-gap, --verdict and --grep need a FILE: a live exchange is shown before its end",
            click.get_current_context(),
        )
    need("inspector", "the inspector")
    from ..web import viewing

    page = viewing.Page(page_port, browser, say)
    if live:
        assert port is not None
        with capture_problems():
            recorded = viewing.Recorded(
                port,
                interface,
                keep,
                given,
                backend,
                reading.wanted,
                keys=not no_keys,
                kept_keys=say_keys,
            )
            return viewing.view_live(recorded, page)
    from msgspec.structs import replace

    from ..tasks.sources import UnreadableSource

    try:
        if _is_data_set(given):
            with stores(given):
                viewing.view_data_set(given[0], captures, page)
            return 0
        if captures:
            context = click.get_current_context()
            raise click.UsageError("--captures requires a DATASET", context)
        viewing.view_files(given, page, replace(reading.wanted, port=port), reading.keylog)
    except UnreadableSource as unreadable:
        raise Unreadable(because(unreadable.source, unreadable.error)) from unreadable
    except OSError as error:
        raise Unreadable(because(given[0], error)) from error
    return 0


def _is_data_set(given: tuple[str, ...]) -> bool:
    """Whether a data set is given; what it takes to look at one is asked for then."""
    if len(given) != 1 or ("://" not in given[0] and not Path(given[0]).is_dir()):
        return False
    need("query", "a data set")
    need_stores(given)
    return True


def _check(
    given: tuple[str, ...], live: bool, port: int | None, keep: str | None, backend: str | None
) -> None:
    """Refuse what cannot be combined."""
    context = click.get_current_context()
    if live and len(given) == 1 and Path(given[0]).is_file() and which(given[0]) is None:
        raise click.UsageError("give a FILE or --live, not both", context)
    if not live and not given:
        raise click.UsageError("give a FILE, or --live --port N", context)
    if len(given) > MAX_FILES and not live:
        raise click.UsageError(f"at most {MAX_FILES} FILEs", context)
    if live and not port:
        raise click.UsageError("--live needs --port N, the port to record", context)
    if not live and (keep, backend) != (None, None):
        raise click.UsageError("--keep and --backend require --live", context)
