"""The options that say what is masked, the same for every command that shows or writes content."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from .exits import say

if TYPE_CHECKING:
    from ..redact import Policy, Report

C = TypeVar("C", bound=Callable[..., Any])


def redaction_options(command: C) -> C:
    """Give a command ``--redact`` and ``--no-redact``, and what they go with; it gets a ``policy``,
    which are :class:`~..redact.Rules`."""
    thorough = click.option(
        "--redact",
        "policy",
        flag_value="all",
        help="Mask everything that looks like a secret: keys, tokens and passwords in URLs, "
        "fields, bodies, events and messages.",
    )
    default = click.option(
        "--redact-headers",
        "policy",
        flag_value="headers",
        default="headers",
        help="Mask Authorization, Cookie, Set-Cookie, X-Api-Key and the like; the default.",
    )
    nothing = click.option("--no-redact", "policy", flag_value="none", help="Mask nothing.")
    return thorough(default(nothing(rule_options(command))))


def rule_options(command: C) -> C:
    """Give a command that has a ``policy`` the options that make :class:`~..redact.Rules` of it."""

    @wraps(command)
    def with_rules(
        policy: Policy,
        keep: tuple[str, ...],
        mask: tuple[str, ...],
        personal: bool,
        all_content: bool = False,
        **others: Any,
    ) -> Any:
        from ..redact import Rules

        if all_content and policy == "headers":
            raise click.UsageError("--headers-only masks less than --all-content: give one of them")
        policy = "structure" if all_content else policy
        try:
            rules = Rules.wanted(policy, keep, mask, is_personal=personal)
        except ValueError as error:
            raise click.UsageError(f"{_named(keep, mask, personal)}: {error}") from error
        return command(policy=rules, **others)

    kept = click.option(
        "--keep",
        metavar="NAME",
        multiple=True,
        help="Do not mask the values of this field, parameter or key; in content, tokens "
        "recognized by their shape are still masked. May be repeated.",
    )
    masked = click.option(
        "--mask",
        metavar="NAME|REGEX",
        multiple=True,
        help="Also mask the values of this field, parameter or key, or whatever this regular "
        "expression matches. May be repeated.",
    )
    personal = click.option(
        "--personal",
        is_flag=True,
        help="Also mask e-mail addresses, card numbers, IBANs, phone numbers, and host addresses "
        "and names, in fields and content but not in packet headers.",
    )
    return kept(masked(personal(cast("C", with_rules))))


def _named(keep: Sequence[str], mask: Sequence[str], personal: bool) -> str:
    """Return which option cannot be obeyed."""
    if mask:
        return "--mask"
    return "--personal" if personal else "--keep"


def said(report: Report) -> str | None:
    """Return what a user should know of what was masked; None if nothing was."""
    from ..text.wording import count

    parts = []
    if report.masked:
        parts.append(f"{count(report.masked, 'secret')} masked")
    if report.left_out:
        payloads = count(report.left_out, "payload")
        parts.append(f"{payloads} left out whole: their coding hides their content")
    if report.unread:
        parts.append(f"{count(report.unread, 'run')} of unreadable HTTP/2 frames masked whole")
    return "; ".join(parts) or None


def say_not_looked_into(output: str, packets: Mapping[str, int]) -> None:
    """Say which packets nobody could look into, or not into all of them, and why."""
    from ..text.wording import count

    for reason, number in packets.items():
        say(f"{output}: not searched: {count(number, 'packet')} {reason}")
