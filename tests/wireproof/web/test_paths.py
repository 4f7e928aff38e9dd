"""Which answers a report holds, and in which bundles."""

from __future__ import annotations

from contextlib import closing

import pytest
from support.answers import asked, streamed
from support.stored import STORED, name, packets
from support.talk import Talk, Tape

from wireproof.web.api import LANE, ROWS, Answers
from wireproof.web.index import Index
from wireproof.web.paths import (
    CONNECTIONS,
    TOGETHER,
    bundled,
    own_bundle,
    place_in,
    shared_bundle,
)

EVENT = b"data: one\n\n"


def test_pages_and_packets_have_a_bundle_with_their_neighbours() -> None:
    assert own_bundle("packet/511") == "packet/0*"
    assert own_bundle("packet/512") == "packet/1*"
    assert own_bundle("rows/0.12/e/130") == "rows/0.12/e/2*"
    assert own_bundle("verdicts/0.1") == "verdicts/0.1"
    assert own_bundle("roundtrips/7") == "roundtrips/7"
    assert own_bundle("summary") == "summary"


def test_exchanges_share_a_bundle_with_those_of_neighbouring_connections() -> None:
    assert shared_bundle("verdicts/15.63") == shared_bundle("packets/0/0") == "of/0.0*"
    assert shared_bundle("rows/16.64/e/0") == "of/1.1*"
    assert shared_bundle("lane/3.w/y/0") == shared_bundle("body/3.n/server") == "of/0.0*"
    assert shared_bundle("verdicts/n.n") == "of/n.0*"
    assert shared_bundle("packet/511") is shared_bundle("summary") is shared_bundle("hop/1") is None
    places = [place_in(path) for path in ("roundtrips/5", "lane/5.w/y/0", "rows/5.2/e/0")]
    assert places == ["5", "5", "5.2"]


@pytest.mark.parametrize("path", STORED, ids=name)
def test_each_path_is_in_one_of_its_bundles(path: object) -> None:
    with closing(Index("capture")) as index:
        index.receive(packets(path))  # type: ignore[arg-type]
        index.finish([])
        found = list(bundled(index, Answers(index).hops))
    for bundle, paths in found:
        for one in paths:
            assert bundle in (own_bundle(one), shared_bundle(one))
    names = [bundle for bundle, _ in found]
    assert len(names) == len(set(names))


def test_neighbours_share_bundles_and_others_do_not() -> None:
    tape = Tape()
    for number in range(CONNECTIONS + 1):
        talk = Talk(tape, client_port=40_000 + number).open()
        for _ in range(TOGETHER + 1 if number == 1 else 1):
            talk.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        talk.close()
    with closing(Index("several")) as index:
        index.receive(tape.packets)
        index.finish([])
        found = {bundle: paths for bundle, paths in bundled(index, 0) if bundle.startswith("of/")}
    assert list(found) == ["of/0.0*", "of/0.1*", "of/1.0*"]
    verdicts = [[path for path in paths if "verdicts" in path] for paths in found.values()]
    assert [len(some) for some in verdicts] == [CONNECTIONS - 1 + TOGETHER, 1, 1]
    assert verdicts[1] == [f"verdicts/1.{TOGETHER}"]
    assert verdicts[2] == [f"verdicts/{CONNECTIONS}.0"]


def test_what_has_several_pages_has_a_bundle_of_its_own() -> None:
    with asked(streamed(*[EVENT] * (ROWS + 1))) as ask:
        found = dict(bundled(ask.index, 0))
        assert found["rows/0.0/e/0*"] == ["rows/0.0/e/0", "rows/0.0/e/1"]
        assert "lane/0.0/e/0" in found["of/0.0*"]
    assert LANE > ROWS


def test_what_belongs_to_no_connection_is_among_them() -> None:
    with asked(streamed(EVENT)) as ask:
        ask.index.finish([])
        found = [path for _, paths in bundled(ask.index, 2) for path in paths]
        assert [path for path in found if path.startswith("hop")] == ["hops", "hop/0", "hop/1"]
