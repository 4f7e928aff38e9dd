"""Who held a response whose other leg is in the same capture."""

from __future__ import annotations

import pytest
from support.paced import STREAMED
from support.talk import Talk
from support.timed import LAST_CHUNK, TimedTape, chunk, event

from wireproof.analysis.judges import explain
from wireproof.analysis.other_leg import HOPS
from wireproof.analysis.verdict import Verdict

ASK = b"GET /chat HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\n" + STREAMED + b"\r\n"
EVENTS = [chunk(event(number)) for number in range(12)]
EVERY = 0.2


def told(
    *, app_holds: bool, proxy_holds: bool, far_port: int = 8_000, ends_late: bool = False
) -> Verdict:
    """What is said of the client's leg of two."""
    tape = TimedTape()
    near = Talk(tape, client_port=40_000, server_port=9_000).open()
    near.client(ASK)
    far = Talk(tape, client_port=50_000, server_port=far_port).open()
    far.client(ASK)
    far.server(HEAD)
    near.server(HEAD)
    for one in EVENTS:
        tape.wait(EVERY)
        if not app_holds:
            far.server(one)
        if not app_holds and not proxy_holds:
            near.server(one)
    if app_holds:
        far.server(b"".join(EVENTS))
    if app_holds or proxy_holds:
        near.server(b"".join(EVENTS))
    far.server(LAST_CHUNK)
    if not ends_late:
        far.close()
    near.server(LAST_CHUNK)
    near.close()
    if ends_late:
        tape.wait(1.0)
        far.close()
    found = sorted(explain(tape.records()), key=lambda one: one.exchange.number)
    return next(one for one in found[0].verdicts if one.question == "streaming")


@pytest.mark.parametrize("ends_late", [False, True])
def test_what_streamed_behind_the_proxy_was_held_by_it(ends_late: bool) -> None:
    found = told(app_holds=False, proxy_holds=True, ends_late=ends_late)
    assert found.answer == "held"
    assert {one.code for one in found.causes} == {"proxy-buffer"}
    assert [one.sure for one in found.causes] == ["certain"]
    assert found.to_tell == ""
    assert "streamed, 12 elements" in found.evidence[-1]


def test_what_was_held_behind_it_was_not_held_by_it() -> None:
    found = told(app_holds=True, proxy_holds=False)
    assert found.answer == "held"
    codes = {one.code for one in found.causes}
    assert "app-collects" in codes
    assert "proxy-buffer" not in codes
    assert found.to_tell == (HOPS if len(codes) > 1 else "")


def test_another_client_of_the_same_server_is_no_leg() -> None:
    found = told(app_holds=False, proxy_holds=True, far_port=9_000)
    assert {"app-collects", "proxy-buffer"} <= {one.code for one in found.causes}
    assert found.to_tell.startswith("a capture between")


def test_what_streams_on_both_is_left_as_it_is() -> None:
    found = told(app_holds=False, proxy_holds=False)
    assert (found.answer, found.causes, found.evidence) == ("streamed", (), ())
