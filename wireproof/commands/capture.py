"""``wireproof capture``: record packets into a pcapng file."""

from __future__ import annotations

import click

from .answers import INTERRUPTED, TRANSPORTS, Unreadable, examples, say
from .capturing import capture_problems


@click.command(
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
    from ..demo import record_scenario

    with capture_problems():
        try:
            recorded = record_scenario(transport, name, path, delay)
        except LookupError as error:
            raise Unreadable(str(error.args[0])) from error
    say(f"{path}: {_captured(*recorded.statistics)}")
    return 0


def _capture_port(
    port: int, path: str, interface: str, duration: float | None, command: tuple[str, ...]
) -> int:
    from ..recording import record_port

    def ready() -> None:
        if not command:
            say(f"recording port {port} on {interface}; Ctrl-C ends it")

    with capture_problems():
        recorded = record_port(
            port, path, interface=interface, duration=duration, command=command, ready=ready
        )
    say(f"{path}: {_captured(*recorded.statistics)}")
    return INTERRUPTED if recorded.interrupted else recorded.exit_code


def _captured(captured: int, dropped: int) -> str:
    return f"{captured:,} packets captured, {dropped:,} dropped"
