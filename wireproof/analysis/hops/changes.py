"""What else a hop made of an exchange: its framing, its fields, its content.

Strategy: both ends are compared field by field. What a proxy is there to change, the framing of
its own connections, is named, and is no fault; what it changes in the content is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from parsers.records import Fields

from .leg import Leg

MAX_NAMED = 12
"""Fields that are named."""


class Change(NamedTuple):
    """One thing that is not the same at both ends of a hop."""

    code: str
    """``coding``, ``framing``, ``chunks``, ``response-fields``, ``request-fields``, ``line-ends``,
    ``ids``, ``keep-alives``, ``target``, ``version``."""
    summary: str
    """As the far end had it, and the near one."""


def changes(near: Leg, far: Leg) -> list[Change]:
    """Return what a hop changed."""
    return [
        *_coding(near, far),
        *_framing(near, far),
        *_line_ends(near, far),
        *_ids(near, far),
        *_keep_alives(near, far),
        *_request_line(near, far),
        *_fields("response-fields", "response", far.response_fields, near.response_fields),
        *_fields("request-fields", "request", near.request_fields, far.request_fields),
    ]


def is_coded_by(near: Leg, far: Leg) -> str:
    """Return the coding that the hop put on, empty if it put on none."""
    here, there = _codings(near), _codings(far)
    return here if here and not there else ""


def _codings(leg: Leg) -> str:
    codings = leg.about.response.codings if leg.about.response else []
    return ", ".join(coding for coding in codings if coding != "identity")


def _coding(near: Leg, far: Leg) -> list[Change]:
    here, there = _codings(near), _codings(far)
    if here == there or near.about.response is None or far.about.response is None:
        return []
    return [Change("coding", f"{there or 'not coded'} → {here or 'not coded'}")]


def _framing(near: Leg, far: Leg) -> list[Change]:
    here, there = near.about.response, far.about.response
    if here is None or there is None:
        return []
    found = []
    if here.version != there.version:
        found.append(Change("version", f"response {there.version} → {here.version}"))
    if here.framing != there.framing:
        found.append(Change("framing", f"{there.framing} → {here.framing}"))
    is_chunked = here.framing == there.framing == "chunked" and _codings(near) == _codings(far)
    if is_chunked and near.down.piece_sizes != far.down.piece_sizes:
        pieces = f"{far.down.pieces:,} chunks → {near.down.pieces:,}"
        found.append(Change("chunks", f"{pieces}, other borders"))
    return found


def is_rechunked(found: Sequence[Change]) -> bool:
    """Whether chunks have other borders."""
    return any(change.code == "chunks" for change in found)


def _line_ends(near: Leg, far: Leg) -> list[Change]:
    here, there = near.line_ends, far.line_ends
    return [Change("line-ends", f"{there} → {here}")] if here and there and here != there else []


def _ids(near: Leg, far: Leg) -> list[Change]:
    here, there = near.down.ids, far.down.ids
    both = here.keys() & there.keys()
    other = sum(here[mark] != there[mark] for mark in both)
    found = []
    if other:
        found.append(Change("ids", f"{other:,} of {len(both):,} event IDs changed"))
    if bool(here) != bool(there):
        found.append(Change("ids", "event IDs added" if here else "event IDs removed"))
    return found


def _keep_alives(near: Leg, far: Leg) -> list[Change]:
    here, there = near.down.keep_alives, far.down.keep_alives
    if here == there or not (near.is_whole and far.is_whole):
        return []
    return [Change("keep-alives", f"{there:,} comments and empty events → {here:,}")]


def _request_line(near: Leg, far: Leg) -> list[Change]:
    here, there = near.about.request, far.about.request
    if here is None or there is None:
        return []
    found = []
    if (here.method, here.target) != (there.method, there.target):
        line = f"{here.method} {here.target} → {there.method} {there.target}"
        found.append(Change("target", line))
    if here.version != there.version:
        found.append(Change("version", f"request {here.version} → {there.version}"))
    return found


def _fields(code: str, what: str, before: Fields, after: Fields) -> list[Change]:
    """Return which fields were added, removed or changed on the way from ``before`` to ``after``.

    Names are compared without case, as they are meant (RFC 9110 section 5.1).
    """
    if not before or not after:
        return []
    old, new = _by_name(before), _by_name(after)
    parts = [
        *_named("added", [name for name in new if name not in old]),
        *_named("removed", [name for name in old if name not in new]),
        *_named("changed", [name for name in new if name in old and new[name] != old[name]]),
    ]
    return [Change(code, f"{what}: {'; '.join(parts)}")] if parts else []


def _by_name(fields: Fields) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in fields:
        found.setdefault(name.lower(), []).append(value)
    return found


def _named(how: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return [f"{how} {', '.join(names[:MAX_NAMED])}{more}"]
