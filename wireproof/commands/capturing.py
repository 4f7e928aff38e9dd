"""What can go wrong with a recording, for every command that records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import EBADF, EDQUOT, EFBIG, EIO, ENOSPC
from typing import Any, TypeVar

import click

from .exits import Address, Missing, NotWhole, Size, Unreadable, because, say

Command = TypeVar("Command", bound=Callable[..., Any])

BACKENDS = ("packet-socket", "dumpcap", "tcpdump", "namespace", "scapy", "relay")
"""The names of ``capture.backends.BACKENDS``, which is not read for a help text."""

backend_option = click.option(
    "--backend", type=click.Choice(BACKENDS), help="How to record; by default the first that works."
)

metrics_option = click.option(
    "--metrics",
    type=Address(),
    metavar="[HOST:]PORT",
    help="Serve Prometheus metrics at http://HOST:PORT/metrics; HOST defaults to loopback.",
)


def buffer_size_option(when: str = "") -> Callable[[Command], Command]:
    """Return the option of who records; ``when`` it is of use."""
    return click.option(
        "--buffer-size",
        type=Size(least=2 * 1024 * 1024),
        metavar="SIZE",
        help=f"Buffer for packets waiting to be recorded{when}; 32M by default.",
    )


def say_backend(name: str) -> None:
    """Say by what the demo is recorded, if that is not the usual."""
    if name != BACKENDS[0]:
        say(f"recording with {name}")


no_keys_option = click.option(
    "--no-keys",
    is_flag=True,
    help="Do not make COMMAND log its TLS secrets, and store none in the file.",
)


def say_keys(path: str) -> None:
    """Say that a file holds secrets, and how it comes to be without."""
    say(f"{path} holds the TLS keys that COMMAND logged: anyone who has it can decrypt TLS;")
    say("--no-keys leaves them out, and wireproof redact removes them")


OF_FILES = (EBADF, EDQUOT, EFBIG, EIO, ENOSPC)
"""What the system says of a file that is written to, and without its name."""


@contextmanager
def capture_problems(output: str = "capture") -> Iterator[None]:
    """Word what can go wrong with a recording, with the exit code of each; ``output`` is its
    file."""
    from capture import CaptureError, CaptureNotPermitted, NamespaceUnavailable, PacketsDropped

    try:
        yield
    except (CaptureNotPermitted, NamespaceUnavailable) as error:
        raise Missing(str(error)) from error
    except PacketsDropped as error:
        raise NotWhole(str(error)) from error
    except CaptureError as error:
        raise Unreadable(str(error)) from error
    except BrokenPipeError:
        raise
    except OSError as error:
        what = output if error.errno in OF_FILES else "capture"
        raise Unreadable(because(what, error)) from error
