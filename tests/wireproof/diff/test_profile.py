"""Profiles: bounded, and the same after they were stored."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
from support.corpus import ROOT
from support.talk import Talk, Tape
from support.timed import Stream, TimedTape

from wireproof.cli import run
from wireproof.diff import profile as module
from wireproof.diff.change import Example
from wireproof.diff.profile import (
    FORMAT,
    Gathering,
    Group,
    Long,
    Profile,
    decoded,
    encoded,
    thinned,
)
from wireproof.diff.reading import profile_of


def test_samples_keep_their_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SAMPLES", 5)
    assert thinned([3.0, 1.0, 2.0]) == [1.0, 2.0, 3.0]
    assert thinned([float(number) for number in range(101)]) == [0, 25, 50, 75, 100]


def test_a_stored_profile_is_the_same() -> None:
    group = Group(2, {"streaming: held": 1}, {"whole": 2}, 0, [3.0, 3.0], {"first": [0.1, 0.2]})
    found = Profile(FORMAT, {"GET /": group}, 10, 1)
    assert decoded(encoded(found)) == found


def test_a_stored_profile_has_a_line_for_each_fact() -> None:
    group = Group(2, {"gap: [\n1]": 1}, {}, 0, [], {"first": [0.1, 0.2], "last": [1e-6, 2.5e-05]})
    found = Profile(FORMAT, {"GET /[1,\n2]": group}, 10, 1)
    stored = encoded(found)
    assert decoded(stored) == found
    assert '    "first": [0.1, 0.2],' in stored.decode().splitlines()


def test_of_what_was_not_recorded_nobody_is_blamed() -> None:
    found = gathered(
        "exchanges",
        exchange(end="unknowable", not_recorded=1.0),
        exchange(end="unknowable", not_recorded=None),
        exchange(not_recorded=0.5),
        exchange(not_recorded=0.0),
    )
    assert (found.exchanges, found.lacking, found.unknown) == (4, 3, 2)
    assert found.endings == {"whole": 2} and found.failed_or_cut == 0
    assert found.counts == [1.0]


@pytest.mark.parametrize(
    "data, said", [(b"{}", "no baseline"), (b"bad", "no baseline"), (b'{"format":9', "no baseline")]
)
def test_what_is_no_baseline(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        decoded(data)
    with pytest.raises(ValueError, match="format 9"):
        decoded(encoded(Profile(9, {}, 0, 0)))


def test_what_cannot_be_read_in_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.pcap").write_bytes(b"")
    with pytest.raises(ValueError, match=r"empty\.pcap: the file is empty"):
        profile_of([str(tmp_path)])


def test_what_cannot_be_read_is_left_out_if_it_may_be_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = str(ROOT / "fixtures" / "sse" / "plain.pcapng")
    (tmp_path / "whole.pcapng").write_bytes(Path(whole).read_bytes())
    (tmp_path / "empty.pcap").write_bytes(b"")
    with pytest.raises(ValueError, match="the file is empty"):
        profile_of([str(tmp_path)])
    said: list[str] = []
    assert encoded(profile_of([str(tmp_path)], said.append)) == encoded(profile_of([whole]))
    assert len(said) == 1
    for form in ("table", "json", "junit", "markdown"):
        assert run(["diff", whole, str(tmp_path), "--format", form]) == 1
        told = capsys.readouterr()
        assert "empty.pcap: the file is empty" in told.err
        assert "empty.pcap: the file is empty" in told.out, form
    assert run(["diff", whole, whole]) == 0


ASKED = b"GET /it HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"


def kept_alive(requests: int) -> bytes:
    """A run of twelve requests, so many of them on each connection."""
    tape = Tape()
    for number in range(12 // requests):
        talk = Talk(tape, client_port=40_000 + number).open()
        for _ in range(requests):
            talk.client(ASKED)
            talk.server(OK)
        talk.close()
    return tape.file()


def test_captures_that_are_cut_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (ROOT / "fixtures" / "sse" / "plain.pcapng").read_bytes()
    (tmp_path / "whole.pcapng").write_bytes(whole)
    (tmp_path / "cut.pcapng").write_bytes(whole[:-20])
    found = profile_of([str(tmp_path / "cut.pcapng")])
    [(name, said)] = found.incomplete.items()
    assert name == str(tmp_path / "cut.pcapng") and said == list(found.faults)
    assert decoded(encoded(found)).incomplete == {}
    for form in ("table", "json", "junit", "markdown"):
        run(
            [
                "diff",
                *(str(tmp_path / f"{one}.pcapng") for one in ("whole", "cut")),
                "--format",
                form,
            ]
        )
        assert str(tmp_path / "cut.pcapng") in capsys.readouterr().out, form


def test_connections_that_are_not_used_again_are_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = {number: tmp_path / f"{number}.pcapng" for number in (12, 1)}
    for number, path in paths.items():
        path.write_bytes(kept_alive(number))
    kept, each = (profile_of([str(path)]).groups["GET /it"] for path in paths.values())
    assert (kept.exchanges, kept.opened, each.exchanges, each.opened) == (12, 1, 12, 12)
    assert run(["diff", str(paths[12]), str(paths[1])]) == 1
    assert "GET /it: new connection: worse: 8.33% -> 100.00%" in capsys.readouterr().out
    assert run(["diff", str(paths[1]), str(paths[12])]) == 0


def test_streams_that_stall_together_are_known_to(tmp_path: Path) -> None:
    tape = TimedTape()
    streams = [Stream("/chat", tape=tape, client_port=40_000 + number) for number in range(6)]
    for seconds in (0.1, 0.1, 1.5, 0.1, 0.1):
        tape.wait(seconds)
        for stream in streams:
            stream.events(1, every=0.0)
    for stream in streams:
        stream.end()
        Stream("/other", tape=tape, client_port=41_000).events(3, every=0.2).end()
    (tmp_path / "run.pcapng").write_bytes(tape.file())
    found = profile_of([str(tmp_path)]).groups["GET /chat"]
    assert found.times["gap_max"] == pytest.approx([1.5] * 6, abs=0.01)
    longest = found.longest["gap_max"]
    assert max(one.start for one in longest) < min(one.end for one in longest)
    assert all(one.end - one.start == pytest.approx(1.5, abs=0.01) for one in longest)
    gaps = [name for name in found.faults if name.startswith("gap: ")]
    assert found.stalls == dict.fromkeys(gaps, 1) and all(found.faults[name] == 6 for name in gaps)


def exchange(**more: object) -> dict[str, object]:
    return {
        **{
            "capture": "a.pcap",
            "connection": 0,
            "exchange": 0,
            "first_packet": 4,
            "method": "GET",
            "target": "/",
            "status": 200,
            "count": 1,
            "end": "whole",
        },
        **{"start_time": 100.0, "first_token": 2.0, "first": 2.0, "last": 5.0, "gap_p50": None},
        **{"gap_max": None, "headers_after": None},
        **more,
    }


def gathered(kind: str, *rows: dict[str, object]) -> Group:
    gathering = Gathering()
    gathering.add(kind, pa.RecordBatch.from_pylist(list(rows)))
    return gathering.profile().groups["GET /"]


def test_legs_behind_a_proxy_do_not_count() -> None:
    gathering = Gathering()
    rows = [exchange(is_behind_proxy=is_behind) for is_behind in (False, True, True, False)]
    gathering.add("exchanges", pa.RecordBatch.from_pylist(rows))
    said = {"question": "ending", "answer": "cut", "is_fault": True, "numbers": "{}"}
    said["packets"] = [7, 8]
    of = {"capture": "a", "connection": 0, "method": "GET", "target": "/"}
    verdicts = [
        {**said, **of, "exchange": number, "is_behind_proxy": row["is_behind_proxy"]}
        for number, row in enumerate(rows)
    ]
    gathering.add("verdicts", pa.RecordBatch.from_pylist(verdicts))
    found = gathering.profile()
    assert (found.behind, found.exchanges) == (2, 2)
    assert found.groups["GET /"].faults == {"ending: cut": 2}
    assert decoded(encoded(found)).behind == 2


def test_of_how_many_a_time_is_not_recorded() -> None:
    lacking = {"end": "unknowable", "gap_max": 1.0}
    rows = [exchange(**lacking), exchange(**lacking, first_token=None), exchange()]
    found = gathered("exchanges", *rows, exchange(**lacking, status=503))
    known = {"elements": 2, "first_token": 1, "gap_max": 2, "gap_p50": 2, "headers_after": 2}
    assert found.untimed == {**known, "last": 2}


def test_when_a_time_was() -> None:
    """A wait begins with the request; a stream is as long as its longest gap makes it."""
    found = gathered("exchanges", exchange()).longest
    assert found["first"] == [Long(2.0, 100.0, 102.0)] and found["last"] == [
        Long(5.0, 100.0, 105.0)
    ]
    found = gathered("exchanges", exchange(gap_max=1.0, gap_max_after=3.0)).longest
    assert found["first"] == [Long(2.0, 100.0, 102.0)]
    assert found["last"] == [Long(5.0, 103.0, 104.0)]
    older = gathered("exchanges", exchange(gap_max=1.0)).longest
    assert older["gap_max"] == [Long(1.0, 100.0, 105.0)]


@pytest.mark.parametrize(
    ("row", "untold"),
    [
        ({"not_recorded": 0.5}, {"last"}),
        ({"status": 404}, {"first_token", "first", "last", "gap_p50", "gap_max"}),
        ({"status": 503}, {"first_token", "first", "last", "gap_p50", "gap_max"}),
        ({"end": "cut"}, {"last"}),
        ({"first": 2.0, "last": 2.001, "gap_p50": 0.0, "gap_max": 0.001}, {"gap_p50", "gap_max"}),
        ({"first": 0.1, "last": 3.0, "gap_p50": 0.0}, {"gap_p50"}),
        ({"first": 0.1, "last": 0.3, "gap_p50": 0.001, "gap_max": 0.004}, set()),
        ({}, set()),
    ],
    ids=["not recorded", "not found", "failed", "cut", "held", "in bursts", "fast", "usual"],
)
def test_times_that_tell_nothing(row: dict[str, object], untold: set[str]) -> None:
    """Where they were told, what mends a fault would seem to make answers slower."""
    streamed = {"gap_p50": 0.1, "gap_max": 1.0}
    found = gathered("exchanges", exchange(**streamed | row))
    assert {"first_token", "first", "last", "gap_p50", "gap_max"} - found.times.keys() == untold


def test_the_longest_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LONGEST", 2)
    found = gathered("exchanges", *(exchange(first=float(number)) for number in range(9)))
    assert sorted(one.value for one in found.longest["first"]) == [7.0, 8.0]
    assert len(found.times["first"]) == 9


def test_what_failed_or_was_cut() -> None:
    ends = [("whole", 200), ("cut", 200), ("whole", 503), ("aborted", 500), ("", 200), ("", None)]
    rows = [exchange(end=end, status=status, exchange=1) for end, status in ends]
    found = gathered("exchanges", *rows)
    assert (found.failed, found.failed_or_cut, found.opened) == (2, 3, 0)


def gap(capture: str, start: int, end: int, exchange: int) -> dict[str, object]:
    return {
        **{"capture": capture, "connection": 0, "exchange": exchange, "question": "gap"},
        **{"answer": "outage", "method": "GET", "target": "/", "is_fault": True},
        "numbers": f'{{"from_packet":{start},"to_packet":{end}}}',
        "packets": [start, end],
    }


def test_gaps_that_lie_in_each_other_are_one_stall() -> None:
    found = gathered("verdicts", gap("a", 1, 9, 0), gap("a", 3, 7, 1), gap("b", 3, 7, 2))
    assert (found.faults, found.stalls) == ({"gap: outage": 3}, {"gap: outage": 2})


def test_a_stall_of_several_requests_is_one_of_all_of_them() -> None:
    gathering = Gathering()
    rows = [gap("a", 1, 9, 0), gap("a", 20, 30, 1), gap("a", 3, 7, 2) | {"target": "/other"}]
    gathering.add("verdicts", pa.RecordBatch.from_pylist(rows))
    groups = gathering.profile().groups
    both = [(one.stalls["gap: outage"], one.apart["gap: outage"]) for one in groups.values()]
    assert both == [(2, 1), (1, 1)]


@pytest.mark.parametrize(
    "usual, longest, number", [(0.0, 0.1, 1), (0.0, 0.005, 0), (0.01, 0.1, 0), (None, None, 0)]
)
def test_bursts(usual: float | None, longest: float | None, number: int) -> None:
    assert gathered("exchanges", exchange(gap_p50=usual, gap_max=longest)).bursts == number


@pytest.mark.parametrize("numbers", ["[]", "{", '{"from_packet":"1"}'])
def test_numbers_of_a_verdict_that_are_none_are_an_error_of_their_file(numbers: str) -> None:
    with pytest.raises(ValueError):
        gathered("verdicts", gap("a", 1, 9, 0) | {"numbers": numbers})
    found = gathered("verdicts", gap("a", 1, 9, 0) | {"numbers": "{}"})
    assert found.stalls == {"gap: outage": 1}


def test_a_stored_baseline_has_no_moments() -> None:
    longest = {"first": [Long(0.2, 100.0, 100.2)]}
    group = Group(
        1, {"gap: outage": 1}, {}, 0, [3.0], {"first": [0.2]}, 1, 0, longest, {"x": 1}, {"x": 1}
    )
    example = Example("a.pcap", 0, 0, 4, 0.2)
    group = msgspec.structs.replace(group, worst={"first": [example]})
    stored = encoded(Profile(FORMAT, {"GET /": group}, 10, 1, resent=[example]))
    assert not any(name in stored for name in (b"longest", b"stalls", b"apart", b"a.pcap"))
    kept = decoded(stored).groups["GET /"]
    assert kept == msgspec.structs.replace(group, longest={}, stalls={}, apart={}, worst={})


def test_the_worst_of_each_thing_are_kept() -> None:
    rows = [
        exchange(exchange=0, first=1.0, count=9, end="cut", first_packet=10),
        exchange(exchange=1, first=3.0, count=7, first_packet=20),
        exchange(exchange=2, first=2.0, count=8, status=503, first_packet=30),
        exchange(exchange=3, first=2.0, count=9, gap_p50=0.0, gap_max=0.2, first_packet=40),
        exchange(exchange=4, first=0.5, count=9, first_packet=50),
    ]
    found = {
        name: [(one.exchange, one.packet, one.value) for one in kept]
        for name, kept in gathered("exchanges", *rows).worst.items()
    }
    assert found["first"] == [(1, 20, 3.0), (3, 40, 2.0), (0, 10, 1.0)]
    assert found["elements"] == [(1, 20, 7.0), (2, 30, 8.0), (0, 10, 9.0)]
    assert found["end: cut"] == found["new connection"] == [(0, 10, None)]
    assert found["status 5xx"] == [(2, 30, None)]
    assert found["failed or cut"] == [(0, 10, None), (2, 30, None)]
    assert found["bursts"] == [(3, 40, 0.2)]


def test_the_worst_of_faults_are_where_they_are_said() -> None:
    longer = gap("b", 30, 40, 2)
    longer["numbers"] = '{"from_packet":30,"to_packet":40,"seconds":2.5}'
    cut = gap("c", 50, 60, 3) | {"question": "ending", "answer": "cut"}
    found = gathered("verdicts", gap("a", 1, 9, 1), longer, cut).worst
    assert found["gap: outage"] == [Example("b", 0, 2, 30, 2.5), Example("a", 0, 1, 1)]
    assert found["ending: cut"] == [Example("c", 0, 3, 50)]


def test_connections_of_most_retransmissions() -> None:
    gathering = Gathering()
    rows = [
        {"capture": "a", "connection": number, "first_packet": number, "packets": 9}
        | {"retransmissions": resent}
        for number, resent in enumerate([1, 0, 4])
    ]
    gathering.add("connections", pa.RecordBatch.from_pylist(rows))
    found = gathering.profile()
    assert found.retransmissions == 5
    assert found.resent == [Example("a", 2, None, 2, 4.0), Example("a", 0, None, 0, 1.0)]


def test_a_baseline_of_an_older_version_can_be_read() -> None:
    old = b'{"format":1,"groups":{"GET /":{"exchanges":1,"faults":{},"endings":{},"failed":0,'
    found = decoded(old + b'"counts":[1],"times":{}}},"packets":9,"retransmissions":0}')
    assert (found.groups["GET /"].opened, found.groups["GET /"].failed_or_cut) == (None, None)
