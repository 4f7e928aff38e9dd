"""The command line: options in, one exit code out.

Strategy: this module reads options and words errors; the work is in ``decoding`` and ``demo``,
which are imported by the command that needs them, so that ``--help`` and a small decode start
in a blink. Whatever goes wrong that a user can cause is one line on standard error.

Exit codes: 0 done; 1 done, and the answer is no; 2 bad usage or unreadable input; 3 something
that the command needs is missing; 130 interrupted; 141 nobody reads the output any more.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from typing import TYPE_CHECKING, NoReturn, cast

import click

from . import __version__
from .escape import escape

if TYPE_CHECKING:
    from .selection import Transport
    from .views import Format

INTERRUPTED, UNREAD = 130, 141
"""Exit codes, as a shell gives them for SIGINT and SIGPIPE."""

GC_THRESHOLD = 50_000
"""Records are made by the hundred thousand and hold no cycles: look for cycles less often."""

TRANSPORTS: tuple[Transport, ...] = ("chunked", "sse", "websocket")


class Unreadable(click.ClickException):
    """What cannot be read, written or understood."""

    exit_code = 2


class NotWhole(click.ClickException):
    """Done, and the answer is no."""

    exit_code = 1


class Missing(click.ClickException):
    """What the command needs and this machine or user has not; the message says how to get it."""

    exit_code = 3


def examples(*lines: str) -> str:
    """Return examples for the end of a help text, one a line."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


@click.group(
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "wireproof demo                      all three transports, served, captured and shown",
        "wireproof decode capture.pcapng     what was on the wire, chunk by chunk",
        "wireproof capture --port 8000 -o api.pcapng -- pytest tests/",
    ),
)
@click.version_option(__version__, prog_name="wireproof", message="%(prog)s %(version)s")
def cli() -> None:
    """Show what a streaming HTTP API really put on the wire, packet by packet."""


@cli.command(
    short_help="Show what a capture file holds.",
    epilog=examples(
        "wireproof decode capture.pcapng",
        "wireproof decode capture.pcapng --transport sse --format ndjson | jq .data",
        "wireproof decode capture.pcapng --connection 3 -o connection-3.csv",
        "wireproof decode large.pcapng.gz --jobs 4 -o large.ndjson",
        "wireproof decode capture.pcapng --view wireshark --filter",
        "tcpdump -i lo -U -w - port 8000 | wireproof decode -",
    ),
)
@click.argument("file", metavar="FILE")
@click.option(
    "--transport", type=click.Choice(TRANSPORTS), help="Only exchanges of this transport."
)
@click.option(
    "--connection",
    type=click.IntRange(min=0),
    metavar="N",
    help="Only this TCP connection, counted from 0 as Wireshark's tcp.stream.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(("table", "ndjson", "json", "csv")),
    help="table on a terminal; else ndjson, or what the suffix of OUT says.",
)
@click.option("-o", "--output", metavar="OUT", help="Write to this file.")
@click.option(
    "--view",
    type=click.Choice(("wireshark", "devtools")),
    help="Not records but tshark's packet list, or the panels of a browser's DevTools.",
)
@click.option(
    "--filter",
    "filters",
    is_flag=True,
    help="With --view: beneath each element the Wireshark display filter that selects it.",
)
@click.option("--no-data", is_flag=True, help="Leave payloads out; sizes and digests stay.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    default=1,
    show_default=True,
    help="Decode a file's connections in up to N processes, at most one a core; the output is "
    "the same. A table is made by one.",
)
def decode(
    file: str,
    transport: str | None,
    connection: int | None,
    form: str | None,
    output: str | None,
    view: str | None,
    filters: bool,
    no_data: bool,
    jobs: int,
) -> int:
    """Decode a capture file: HTTP messages, chunks, server-sent events, WebSocket frames.

    FILE is pcap or pcapng, plain or compressed with gzip or zstd; - is standard input.
    """
    from .decoding import ToolView, Wanted, run
    from .jobs import WorkerDied

    _check_view(view, form, transport, filters)

    wanted = Wanted(
        file,
        cast("Transport | None", transport),
        connection,
        cast("Format | None", form),
        output,
        not no_data,
        jobs,
        cast("ToolView | None", view),
        filters,
    )
    try:
        found = run(wanted, _say)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise Unreadable(_because(file, error)) from error
    except WorkerDied as error:
        _say(f"{file}: {error}")
        return error.exit_code
    if not found:
        _say(f"{file}: {_nothing(transport, connection)}")
    return 0


def _check_view(view: str | None, form: str | None, transport: str | None, filters: bool) -> None:
    """Refuse what a view cannot be combined with."""
    context = click.get_current_context()
    if view is None and filters:
        raise click.UsageError("--filter goes with --view only", context)
    if view is not None and form is not None:
        raise click.UsageError("--format and --view: a view has a format of its own", context)
    if view == "wireshark" and transport is not None:
        raise click.UsageError(
            "--transport and --view wireshark: a packet list is of a --connection", context
        )


@cli.command(
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
    from .annotate import annotate as write_annotated

    try:
        done = write_annotated(file, output, _say)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise Unreadable(_because(file, error)) from error
    _say(f"{output}: {done.commented:,} of {done.packets:,} packets have a comment")


@cli.command(
    short_help="Lay our decoding beside Wireshark's.",
    epilog=examples(
        "wireproof compare capture.pcapng",
        "wireproof compare capture.pcapng --format json | jq '.rows[] | select(.explanation)'",
    ),
)
@click.argument("file", metavar="FILE")
@click.option(
    "--format",
    "form",
    type=click.Choice(("table", "json")),
    default="table",
    show_default=True,
    help="The differences and counts, or every row.",
)
def compare(file: str, form: str) -> int:
    """Compare our decoding of a capture with tshark's, field by field.

    Exits with 0 if both agree but for limits of Wireshark that are known and cited, 1 if they do
    not, 3 without tshark.
    """
    from .wireshark.locate import TsharkMissing
    from .wireshark.run import TsharkFailed
    from .wireshark.side_by_side import Form
    from .wireshark.side_by_side import run as run_compare

    try:
        agrees = run_compare(file, cast("Form", form), sys.stdout.write)
    except TsharkMissing as error:
        raise Missing(str(error)) from error
    except TsharkFailed as error:
        raise Unreadable(f"{file}: {error}") from error
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise Unreadable(_because(file, error)) from error
    return 0 if agrees else 1


@cli.command(
    short_help="Serve, capture, decode and show a stream.",
    epilog=examples(
        "wireproof demo",
        "wireproof demo sse --delay 0.5",
    ),
)
@click.argument("transport", type=click.Choice((*TRANSPORTS, "all")), default="all")
@click.option(
    "--delay",
    type=click.FloatRange(min=0, max=60),
    metavar="S",
    default=0.2,
    show_default=True,
    help="Seconds before each message.",
)
def demo(transport: str, delay: float) -> int:
    """Serve a stream, capture it, decode it and show what was on the wire.

    TRANSPORT is chunked, sse, websocket or all. Needs the right to capture packets.
    """
    from .demo import run as run_demo

    wanted = TRANSPORTS if transport == "all" else (cast("Transport", transport),)
    with _capture_problems():
        return 0 if run_demo(wanted, delay) else 1


@cli.command(
    short_help="Run the demo server with its pages.",
    epilog=examples(
        "wireproof serve",
        "wireproof serve --port 0 --delay 0.05 --ping-interval 1",
    ),
)
@click.option(
    "--host", metavar="HOST", help="Address to listen on.", default="127.0.0.1", show_default=True
)
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="0 takes a free one.")
@click.option(
    "--delay", type=click.FloatRange(min=0), metavar="S", help="Seconds before each message."
)
@click.option(
    "--ping-interval",
    type=click.FloatRange(min=0),
    metavar="S",
    help="Seconds between pings; 0 sends none.",
)
@click.option(
    "--idle-timeout",
    type=click.FloatRange(min=0),
    metavar="S",
    help="Seconds after which a silent WebSocket is closed.",
)
@click.option("--no-deflate", is_flag=True, help="Decline permessage-deflate.")
def serve(host: str, no_deflate: bool, **settings: float | None) -> None:
    """Run the demo server, with a page for each transport, until Ctrl-C."""
    from server import serve as run_server

    given = {name: value for name, value in settings.items() if value is not None}
    try:
        run_server(host, deflate=not no_deflate, **given)  # type: ignore[arg-type]
    except OSError as error:
        raise Unreadable(f"cannot listen on {host}: {error.strerror or error}") from error


@cli.command(
    epilog=examples(
        "wireproof capture sse -o sse.pcapng",
        "wireproof capture chunked --scenario truncated -o truncated.pcapng",
        "wireproof capture --port 8000 -o api.pcapng -- pytest tests/",
        "wireproof capture --port 8000 -o - | wireproof decode -",
    )
)
@click.argument("words", nargs=-1, metavar="[TRANSPORT] [-- COMMAND ...]")
@click.option(
    "-o", "--output", metavar="FILE", required=True, help="The file to write; - is standard output."
)
@click.option("--scenario", metavar="NAME", help="What the demo server shows; plain by default.")
@click.option(
    "--delay",
    type=click.FloatRange(min=0),
    metavar="S",
    help="Seconds before each message, with TRANSPORT.",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), metavar="N", help="Record anyone's traffic on it."
)
@click.option("-i", "--interface", metavar="NAME", help="With --port; lo by default.")
@click.option(
    "--duration",
    type=click.FloatRange(min=0),
    metavar="S",
    help="End after so many seconds, with --port.",
)
def capture(
    words: tuple[str, ...],
    output: str,
    scenario: str | None,
    delay: float | None,
    port: int | None,
    interface: str | None,
    duration: float | None,
) -> int:
    """Record packets into a pcapng file.

    With TRANSPORT (chunked, sse or websocket) a demo server is started, driven and recorded.
    With --port it is anyone's traffic on that port, while COMMAND runs, or until Ctrl-C.
    """
    path = "/dev/stdout" if output == "-" else output
    if port is None:
        _only_with("--port", {"--interface": interface, "--duration": duration})
        return _capture_scenario(_one_transport(words), scenario or "plain", path, delay)
    _only_with("TRANSPORT", {"--scenario": scenario, "--delay": delay})
    return _capture_port(port, path, interface or "lo", duration, words)


def _one_transport(words: tuple[str, ...]) -> str:
    if len(words) != 1 or words[0] not in TRANSPORTS:
        raise click.UsageError(
            f"expected --port, or one transport of {', '.join(TRANSPORTS)}; found "
            + (repr(" ".join(words)) if words else "neither"),
            click.get_current_context(),
        )
    return words[0]


def _only_with(what: str, options: dict[str, object]) -> None:
    for name, value in options.items():
        if value is not None:
            raise click.UsageError(f"{name} goes with {what} only", click.get_current_context())


def _capture_scenario(transport: str, name: str, path: str, delay: float | None) -> int:
    from .demo import record_scenario

    with _capture_problems():
        try:
            recorded = record_scenario(transport, name, path, delay)
        except LookupError as error:
            raise Unreadable(str(error.args[0])) from error
    _say(f"{path}: {_captured(*recorded.statistics)}")
    return 0


def _capture_port(
    port: int, path: str, interface: str, duration: float | None, command: tuple[str, ...]
) -> int:
    from .recording import record_port

    def ready() -> None:
        if not command:
            _say(f"recording port {port} on {interface}; Ctrl-C ends it")

    with _capture_problems():
        recorded = record_port(
            port, path, interface=interface, duration=duration, command=command, ready=ready
        )
    _say(f"{path}: {_captured(*recorded.statistics)}")
    return INTERRUPTED if recorded.interrupted else recorded.exit_code


def _captured(captured: int, dropped: int) -> str:
    return f"{captured:,} packets captured, {dropped:,} dropped"


@contextmanager
def _capture_problems() -> Iterator[None]:
    """Word what can go wrong with a recording, with the exit code of each."""
    from capture import CaptureError, CaptureNotPermitted, PacketsDropped

    try:
        yield
    except CaptureNotPermitted as error:
        raise Missing(str(error)) from error
    except PacketsDropped as error:
        raise NotWhole(str(error)) from error
    except CaptureError as error:
        raise Unreadable(str(error)) from error
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Unreadable(_because("capture", error)) from error


def _nothing(transport: str | None, connection: int | None) -> str:
    """Return what a capture does not have, in the terms of the options."""
    if transport is None:
        return "no TCP connection" if connection is None else f"no connection {connection}"
    where = "" if connection is None else f" in connection {connection}"
    return f"no {transport} exchange{where}"


def _because(what: str, error: OSError | ValueError) -> str:
    """Return what could not be done with a file, and why, without Python's wording."""
    if isinstance(error, OSError):
        return f"{error.filename or what}: {error.strerror or error}"
    return f"{'standard input' if what == '-' else what}: {error}"


def _say(message: str) -> None:
    """Print a line to standard error; file names in it may hold anything."""
    click.echo(f"wireproof: {escape(message)}", err=True)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code; errors that users can cause are one line."""
    if "_WIREPROOF_COMPLETE" in os.environ:
        cli.main(prog_name="wireproof")  # click answers the shell, and exits
    gc.set_threshold(GC_THRESHOLD)
    # What a terminal cannot show is escaped there instead of ending the command.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        # Not cli.main(): that turns a broken pipe into exit code 1, which here means "no".
        with cli.make_context("wireproof", list(arguments)) as context:
            code = cli.invoke(context)
        sys.stdout.flush()
        return code or 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        _say(_one_line(error))
        return error.exit_code
    except BrokenPipeError:
        # So that the interpreter finds nothing to complain of when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    except KeyboardInterrupt:
        return INTERRUPTED


def _one_line(error: click.ClickException) -> str:
    message = " ".join(error.format_message().split())
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"{message.rstrip('.')}. See: {error.ctx.command_path} --help"
    return message
