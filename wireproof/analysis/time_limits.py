"""Limits at which known software gives up a connection, and which of them a time fits.

Strategy: an idle limit is looked for in one window, [limit - EARLY, limit + LATE]: nginx re-arms
its timers lazily and strikes up to 0.3 s early, and nobody waits much longer than told. Software
that closes late on purpose has that as its ``delay``. A table row is a default, so what fits is a
reason to look there and no proof; who has a name in a Server or Via field comes first.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

EARLY = 0.35
"""Seconds before its limit at which nginx was seen to strike, and a margin."""
LATE = 0.1
"""Seconds after it: a timer's delay and the way to the capture."""
LEAST_LIMIT = 5.0
"""Seconds: below that no default stands, and every pause would fit something."""
ENVOY_DELAY = 1.0
"""Envoy ends a response that it has given up so much later (delayed_close_timeout)."""
LimitKind = Literal["idle", "total", "head"]


class TimeLimit(NamedTuple):
    """A default of a component."""

    component: str
    """As its Server or Via field has it, in lower case, where it has one."""
    setting: str
    """What to look up and raise."""
    seconds: float
    kind: LimitKind
    """``idle``: between two reads; ``total``: from the request on; ``head``: to the response."""
    delay: float = 0.0
    """Seconds from the limit to the FIN that the client sees."""


LIMITS: tuple[TimeLimit, ...] = (
    TimeLimit("nginx", "proxy_read_timeout", 60.0, "idle"),
    TimeLimit("haproxy", "timeout server, timeout client", 50.0, "idle"),
    TimeLimit("envoy", "stream_idle_timeout", 300.0, "idle", ENVOY_DELAY),
    TimeLimit("envoy", "the route's timeout", 15.0, "total", ENVOY_DELAY),
    TimeLimit("apache", "ProxyTimeout", 60.0, "idle"),
    TimeLimit("varnish", "between_bytes_timeout", 60.0, "idle"),
    TimeLimit("varnish", "first_byte_timeout", 60.0, "head"),
    TimeLimit("squid", "read_timeout", 900.0, "idle"),
    TimeLimit("traefik", "idleTimeout", 180.0, "idle"),
    TimeLimit("awselb", "idle_timeout of the load balancer", 60.0, "idle"),
    TimeLimit("network load balancer of AWS", "idle timeout", 350.0, "idle"),
    TimeLimit("api gateway of AWS", "integration timeout", 29.0, "total"),
    TimeLimit("api gateway of AWS", "idle timeout of a streamed response", 300.0, "idle"),
    TimeLimit("cloudfront", "origin response timeout", 30.0, "idle"),
    TimeLimit("cloudflare", "proxy read timeout", 120.0, "idle"),
    TimeLimit("cloudflare", "proxy read timeout", 100.0, "idle"),
    TimeLimit("google", "the backend service's timeout", 30.0, "total"),
    TimeLimit("azure load balancer", "idle timeout", 240.0, "idle"),
    TimeLimit("heroku", "router's first byte", 30.0, "head"),
    TimeLimit("heroku", "router's rolling window", 55.0, "idle"),
    TimeLimit("fly", "idle timeout", 60.0, "idle"),
    TimeLimit("vercel", "the function's duration", 300.0, "total"),
    TimeLimit("gunicorn", "--timeout", 30.0, "total"),
)
"""Of nginx, Envoy, AWS, Cloudflare, Google, Azure, Fly, Vercel and gunicorn by their documentation;
of the rest as they are commonly shipped or set."""


def fits(limit: TimeLimit, seconds: float) -> bool:
    """Whether a connection that was given up after that time was given up by that limit."""
    least = limit.seconds + limit.delay
    return least - EARLY <= seconds <= least + LATE


def find_limits(seconds: float, kind: LimitKind, named: str = "") -> list[TimeLimit]:
    """Return the limits that a time fits, those of software first that ``named`` names.

    ``named`` is what the header says of who answered: its Server and Via fields.
    """
    kinds = (kind, "idle") if kind == "head" else (kind,)
    found = [limit for limit in LIMITS if limit.kind in kinds and fits(limit, seconds)]
    return sorted(found, key=lambda limit: limit.component not in named.lower())


def next_limit(seconds: float) -> TimeLimit:
    """Return the lowest idle limit that silence of that length stays below."""
    idle = (limit for limit in LIMITS if limit.kind == "idle" and limit.seconds > seconds)
    return min(idle, key=lambda limit: limit.seconds)


def such_as(limits: list[TimeLimit], named: str) -> str:
    """Return the limits in words: a name alone where the header has it, else an example."""
    shown = ", ".join(f"{one.component}'s {one.setting} ({one.seconds:g} s)" for one in limits[:3])
    is_named = bool(limits) and limits[0].component in named.lower()
    return shown if is_named else f"such as {shown}"
