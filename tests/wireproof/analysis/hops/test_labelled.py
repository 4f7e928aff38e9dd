"""Captures made with real proxies and networks: what is said of their hops is what happened."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.talk import decoded

from benchmarks.verdicts import hops as family
from benchmarks.verdicts.__main__ import FOLDER
from benchmarks.verdicts.hops import captures, report_on
from benchmarks.verdicts.truth import Truth, read_truths
from parsers import CaptureReader
from parsers.records import Record
from wireproof.analysis.hops.report import Report, hops

TRUTHS = {truth.name: truth for truth in read_truths(FOLDER)}
HOPS = [name for name, truth in TRUTHS.items() if family.concerns(truth)]
PATHS = [name for name, truth in TRUTHS.items() if len(truth.files) > 1 and name not in HOPS]

# Other families' captures that saw both sides of a proxy: its answer, pattern and first cause.
BOTH_SIDES = {
    "en07-nginx-cut-mid-body-read-timeout": ("loses", None, "proxy-cut"),
    "en29-envoy-route-timeout-cut": ("loses", None, "proxy-cut"),
    "ws08-nginx-idle-cut": ("loses", None, "proxy-cut"),
    "hb13-nginx-buffering-on-http11-upstream": ("transparent", None, "headers-held"),
    "hb14-nginx10-buffering-4k-steps": ("holds", "size", "proxy-buffer"),
    "hb16-nginx-gzip-buffered": ("holds", "until-end", "compressor-not-flushed"),
    "hb18-apache-mod_deflate": ("transparent", None, None),
    "hb24-relay-timer-500ms": ("holds", "timer", "proxy-timer"),
    "hb26-relay-content-length": ("holds", "until-end", "proxy-buffer"),
    "hb32-haproxy-request-streams": ("transparent", None, None),
    "hb33-nginx-request-buffering": ("holds", "until-end", "proxy-buffers-request"),
    "hb41-haproxy-default-cork-200ms": ("holds", "timer", "cork-200ms"),
    "hb42-haproxy-default-slow-events-b": ("holds", "fixed", "cork-200ms"),
    "hb43-nginx10-gzip-buffered": ("holds", "until-end", "compressor-not-flushed"),
    "hb44-nginx10-unbuffered": ("transparent", None, None),
    "hb55-nginx10-gunicorn-wsgi": ("holds", "until-end", "proxy-buffer"),
    "lm14-openai-chat-nginx10-buffered": ("holds", "size", "proxy-buffer"),
}


@pytest.mark.parametrize("name", HOPS)
def test_what_a_hop_did_is_said(name: str) -> None:
    wrong = [str(outcome) for outcome in family.check(TRUTHS[name]) if outcome.is_wrong]
    assert wrong == []


def moved(paths: list[Path], seconds: float) -> Report:
    """What is said of captures of which each nearer one has a clock that is ahead."""

    def records(path: Path, offset: float) -> list[Record]:
        with path.open("rb") as stream:
            return decoded(
                [
                    (number, (time_ns or 0) + round(offset * 1e9), *rest)
                    for number, time_ns, *rest in CaptureReader(stream)
                ]  # type: ignore[misc]
            )

    offsets = [seconds * (len(paths) - 1 - at) for at in range(len(paths))]
    return hops((path.name, records(path, one)) for path, one in zip(paths, offsets, strict=True))


@pytest.mark.parametrize("name", HOPS)
@pytest.mark.parametrize("seconds", [3.7, -86_400.0])
def test_delays_are_right_within_a_millisecond_whatever_the_clocks(
    name: str, seconds: float
) -> None:
    one, legs = captures(TRUTHS[name])
    exact = [added for judged in report_on(one).hops for added in judged.hop.down.added]
    found = [added for judged in moved(legs, seconds).hops for added in judged.hop.down.added]
    assert found == pytest.approx(exact, abs=0.001)


@pytest.mark.parametrize("name", PATHS)
def test_the_network_is_no_hop_that_holds(name: str) -> None:
    truth: Truth = TRUTHS[name]
    [paths] = captures(truth)
    found = report_on(paths)
    is_gone = truth.cause == "no-fin-no-reset"  # with what was sent last
    answer = "loses" if is_gone else "transparent"
    assert [(one.hop.is_path, one.verdict.answer) for one in found.hops] == [(True, answer)]
    causes = [cause.code for one in found.hops for cause in one.verdict.causes]
    is_lossy = is_gone or truth.cause in ("loss", "loss-fast", "silent-then-loss")
    assert ("loss" in causes) == is_lossy


@pytest.mark.parametrize("name", BOTH_SIDES)
def test_both_sides_of_a_proxy_tell_more_than_the_client(name: str) -> None:
    truth = TRUTHS[name]
    worst = report_on(truth.files).worst
    assert worst is not None
    verdict = worst.verdict
    first = verdict.causes[0].code if verdict.causes else None
    assert (verdict.answer, verdict.numbers["pattern"], first) == BOTH_SIDES[name]
