"""The options that say what is masked, the same for every command that shows or writes content."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .exits import say

if TYPE_CHECKING:
    from ..redact import Report

C = TypeVar("C", bound=Callable[..., Any])


def redaction_options(command: C) -> C:
    """Give a command ``--redact`` and ``--no-redact``; it gets a ``policy``."""
    thorough = click.option(
        "--redact",
        "policy",
        flag_value="all",
        help="Mask whatever looks like a secret: keys, tokens and passwords in URLs, fields, "
        "bodies, events and messages.",
    )
    default = click.option(
        "--redact-headers",
        "policy",
        flag_value="headers",
        default="headers",
        help="Mask Authorization, Cookie, Set-Cookie, X-Api-Key and such; the default.",
    )
    nothing = click.option("--no-redact", "policy", flag_value="none", help="Mask nothing.")
    return thorough(default(nothing(command)))


def said(report: Report) -> str | None:
    """Return what a user should know of what was masked; None if nothing was."""
    from ..text.wording import count

    parts = []
    if report.masked:
        parts.append(f"{count(report.masked, 'secret')} masked")
    if report.left_out:
        payloads = count(report.left_out, "payload")
        parts.append(f"{payloads} left out whole: their coding hides what they hold")
    if report.unread:
        parts.append(f"{count(report.unread, 'run')} of unreadable frames of HTTP/2 masked whole")
    return "; ".join(parts) or None


def say_not_looked_into(output: str, packets: Mapping[str, int]) -> None:
    """Say which packets stay as they are, for they are encrypted."""
    from ..text.wording import count

    for encryption, number in packets.items():
        say(f"{output}: not looked into: {count(number, 'packet')} encrypted by {encryption}")
