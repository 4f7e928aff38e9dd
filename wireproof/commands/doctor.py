"""``wireproof doctor``: which ways to record work here, and what would give the others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from ..text.escape import escape
from .exits import examples

if TYPE_CHECKING:
    from ..tasks.doctor import Finding

NONE_WORKS = 3


@click.command(
    short_help="Check what this machine allows and lacks.",
    epilog=examples("wireproof doctor", "wireproof doctor --format json | jq '.[].name'"),
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="json is one list of findings.",
)
def doctor(form: str) -> int:
    """Try every way to record, and say how to enable those that do not work.

    "capture" uses the first that works. Exits with 0 if there is one, otherwise with 3.
    """
    from ..tasks.doctor import findings

    found = []
    for finding in findings():
        found.append(finding)
        if form == "text":
            _show(finding)
    if form == "json":
        click.echo(json.dumps([finding._asdict() for finding in found], indent=2))
    works = any(finding.works for finding in found if finding.kind == "backend")
    return 0 if works else NONE_WORKS


def _show(finding: Finding) -> None:
    mark = click.style("yes", fg="green") if finding.works else click.style("no ", fg="yellow")
    click.echo(f"{mark} {finding.name:14} {escape(finding.summary)}")
    if finding.remedy:
        click.echo(f"    {'':14} {escape(finding.remedy)}")
