"""What a test asks of the hops between its captures."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from support.corpus import ROOT
from support.wire_apps import app

from wireproof.testing import WireFailure
from wireproof.testing.environments import Machine, choose
from wireproof.testing.wire import Wire

PROXY = ROOT / "tests" / "support" / "small_proxy.py"
LABELLED = ROOT / "fixtures" / "verdicts"
HELD = ("hp02-nginx10-buffered.client.pcap", "hp02-nginx10-buffered.server.pcap")
SMOOTH = ("hp01-nginx-unbuffered.client.pcap", "hp01-nginx-unbuffered.server.pcap")


@pytest.fixture
def legs(tmp_path: Path) -> Callable[..., Wire]:
    def replayed(*names: str) -> Wire:
        wire = Wire(tmp_path, Path(__file__), "test", Machine, update=False)
        for name in names:
            wire.replay(LABELLED / name)
        return wire

    return replayed


def test_a_hop_that_passes_on_is_transparent(legs: Callable[..., Wire]) -> None:
    hops = legs(*SMOOTH).hops()
    assert [verdict.answer for verdict in hops.verdicts] == ["transparent"]
    hops.assert_transparent()
    hops.assert_transparent(max_added=0.1)


def test_a_hop_that_holds_is_named_with_what_to_do(legs: Callable[..., Wire]) -> None:
    with pytest.raises(WireFailure) as raised:
        legs(*HELD).hops().assert_transparent()
    lines = str(raised.value).splitlines()
    assert "the hop is 'holds', 'transparent' expected: the proxy nginx/1.22.1" in lines[0]
    assert any(line.startswith("  do: ") for line in lines)


def test_a_hop_may_add_so_much_and_no_more(legs: Callable[..., Wire]) -> None:
    with pytest.raises(WireFailure, match="the hop added .*, at most 0 s expected"):
        legs(*SMOOTH).hops().assert_transparent(max_added=0.0)


def test_captures_and_targets_are_chosen(legs: Callable[..., Wire]) -> None:
    wire = legs(*SMOOTH)
    client, server = (wire.replay(LABELLED / name) for name in SMOOTH)
    assert len(wire.hops(client, server, path="/smooth").verdicts) == 1
    assert wire.hops(client, server, path="/other").verdicts == []


def test_what_nobody_else_saw_has_no_hop(legs: Callable[..., Wire]) -> None:
    with pytest.raises(WireFailure, match="no hop was seen: 1 exchange seen, none of them on"):
        legs(SMOOTH[0]).hops().assert_transparent()


@pytest.mark.packets
@pytest.mark.parametrize("holds", [False, True])
def test_a_proxy_before_an_app_is_a_hop(tmp_path: Path, holds: bool) -> None:
    place = choose("packet-socket")
    wire = Wire(tmp_path, Path(__file__), "test", lambda: place, update=False)
    with wire.serve(app) as server:
        command = [sys.executable, str(PROXY), "{port}", str(server.port)]
        with wire.serve([*command, *(["hold"] if holds else [])]) as proxy:
            # Its own probe made a connection too: the proxy takes one after the other.
            httpx.get(proxy.url + "/chat?n=8", headers={"Connection": "close"})
    hops = wire.hops(path="/chat")
    if holds:
        with pytest.raises(WireFailure, match="the hop is 'holds', 'transparent' expected"):
            hops.assert_transparent()
    else:
        hops.assert_transparent(max_added=1.0)
    assert len(hops.verdicts) == 1
    wire.close(keep=False)
