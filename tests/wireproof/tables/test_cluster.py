"""Dask's workers, for real: the same data set whoever makes it, and a worker that is killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import CancelledError
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from distributed import KilledWorker
from support.corpus import ROOT

from benchmarks.hostile_cases import open_connections
from benchmarks.packets import write
from benchmarks.scale.making import make_ring
from benchmarks.workloads import timed
from wireproof.tables import TableOptions, cluster, parts
from wireproof.tables.dataset import DataSet
from wireproof.tables.exporting import ExportJob, run
from wireproof.tables.files import Capture, found
from wireproof.tables.parts import Done

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
OPTIONS = TableOptions()
SOURCES = [str(ROOT / "fixtures" / "sse"), str(ROOT / "fixtures" / "chunked")]


def contents(place: Path) -> dict[str, bytes]:
    files = sorted(path for path in place.rglob("*") if path.is_file())
    return {str(path.relative_to(place)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two workers, who may take as long to start again as on a busy machine."""
    import dask

    said: list[str] = []
    in_no_time = dask.config.set({"distributed.deploy.lost-worker-timeout": "1 ms"})
    with in_no_time, cluster.cluster(2, None, said.append) as client:
        yield client


@pytest.fixture(autouse=True, scope="module")
def small_parts() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "PART_CAPTURES", 4)
        yield


def planned(place: Path, sources: list[str], options: TableOptions) -> list[list[Capture]]:
    return DataSet(str(place)).plan(found(sources), options).parts


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    place = tmp_path_factory.mktemp("alone")
    run(ExportJob(SOURCES, str(place), OPTIONS), lambda _: None)
    return contents(place)


def test_two_workers_write_what_one_process_does(
    client: Any, alone: dict[str, bytes], tmp_path: Path
) -> None:
    wanted = planned(tmp_path, SOURCES, OPTIONS)
    done = list(cluster.made(str(tmp_path), wanted, OPTIONS, client))
    assert all(one.made is not None for one in done)
    assert contents(tmp_path) == alone and len(alone) > 20


def test_a_scheduler_by_its_address(client: Any, alone: dict[str, bytes], tmp_path: Path) -> None:
    said: list[str] = []
    address = client.scheduler.address
    tally = run(ExportJob(SOURCES, str(tmp_path), OPTIONS, scheduler=address), said.append)
    assert contents(tmp_path) == alone and tally.made == tally.captures
    assert any(one.startswith("Dask's page: http") for one in said) == has_bokeh()


def has_bokeh() -> bool:
    return find_spec("bokeh") is not None


def test_an_address_without_a_page(client: Any) -> None:
    """A scheduler has one with ``--no-dashboard``, and one without bokeh."""
    page = client.dashboard_link
    assert cluster.has_page(page) == has_bokeh()
    assert not cluster.has_page(page.replace("status", "no-such-page"))
    assert cluster.has_page(page.replace("status", "health"))
    assert cluster.has_page("http://127.0.0.1:1/status"), "somebody else may reach it"


def test_each_worker_holds_what_memory_says(client: Any, tmp_path: Path) -> None:
    """The workers have been there longer than the option: a task brings it."""
    capture = tmp_path / "open.pcapng"
    write(capture, timed(open_connections(300)))
    sources, tight = [str(capture)], TableOptions(memory=2 << 20)
    places = [tmp_path / name for name in ("alone", "workers", "roomy")]
    run(ExportJob(sources, str(places[0]), tight), lambda _: None)
    for place, options in zip(places[1:], (tight, OPTIONS), strict=True):
        wanted = planned(place, sources, options)
        assert all(one.made for one in cluster.made(str(place), wanted, options, client))
    first, second, roomy = (contents(place) for place in places)
    assert first == second and first != roomy


def test_a_large_capture_is_of_all_workers(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ring by connection, while small captures are made by whoever has time."""
    for module in (parts, cluster):
        monkeypatch.setattr(module, "PART_SIZE", 100_000)
    ring = make_ring(tmp_path / "ring", 600_000, files=2)
    sources = [str(ring), f"{SOURCES[0]}/burst.pcapng"]
    address = client.scheduler.address
    run(ExportJob(sources, str(tmp_path / "alone"), OPTIONS), lambda _: None)
    spread: list[str] = []
    monkeypatch.setattr(cluster, "_spread", noting(cluster._spread, spread))
    job = ExportJob(sources, str(tmp_path / "workers"), OPTIONS, scheduler=address)
    tally = run(job, lambda _: None)
    assert [Path(name).name for name in spread] == ["gateway_*.pcapng"]
    assert contents(tmp_path / "workers") == contents(tmp_path / "alone")
    assert tally.made == tally.captures > 1


def test_a_large_capture_that_kills_its_workers_is_made_by_one(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killing_all(*_: object) -> Done:
        raise KilledWorker("decode", None, 3)

    monkeypatch.setattr(cluster, "_spread", killing_all)
    [capture] = found([f"{SOURCES[0]}/burst.pcapng"])
    [done] = cluster.made(str(tmp_path), [], OPTIONS, client, [capture])
    assert done.made is not None and done.capture == capture.name
    assert not (tmp_path / "shares").exists()


def noting(make: Any, names: list[str]) -> Any:
    def noted(place: str, capture: Capture, *rest: Any) -> Done:
        names.append(capture.name)
        done: Done = make(place, capture, *rest)
        return done

    return noted


def dying(place: str, captures: list[Capture], options: TableOptions) -> list[Done]:
    """Make a part, but for the first time."""
    marker = Path(place).with_suffix(".died")
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return DataSet(place).make_part(captures, options)


def killing(
    place: str, captures: list[Capture], options: TableOptions, left_out: list[Done] | None = None
) -> list[Done]:
    """Make a part, unless a certain capture is in it."""
    left = {one.capture for one in left_out or ()}
    if any(one.name.endswith("sse/burst.pcapng") and one.name not in left for one in captures):
        os.kill(os.getpid(), signal.SIGKILL)
    return DataSet(place).make_part(captures, options, left_out=left_out or ())


def attempting(capture: Capture, options: TableOptions) -> list[Done]:
    with TemporaryDirectory() as place:
        return killing(place, [capture], options)


def killing_part(place: str, captures: list[Capture], *_: object) -> list[Done]:
    """Make no part of several captures."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def test_a_killed_worker_costs_its_part(
    client: Any, alone: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cloudpickle

    cloudpickle.register_pickle_by_value(__import__("sys").modules[__name__])
    place = tmp_path / "set"
    monkeypatch.setattr(cluster, "make", dying)
    wanted = planned(place, SOURCES, OPTIONS)
    done = list(cluster.made(str(place), wanted, OPTIONS, client))
    assert (tmp_path / "set.died").exists()
    assert all(one.made is not None for one in done) and contents(place) == alone


def test_what_kills_every_worker_is_given_up(
    client: Any, alone: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "make", killing)
    monkeypatch.setattr(cluster, "attempt", attempting)
    monkeypatch.setattr(client.cluster.scheduler, "allowed_failures", 0)
    wanted = planned(tmp_path, SOURCES[:1], OPTIONS)[0]
    done = {
        one.capture: one.error for one in cluster.made(str(tmp_path), [wanted], OPTIONS, client)
    }
    deadly = f"{SOURCES[0]}/burst.pcapng"
    assert done.pop(deadly) == "every worker that took it died"
    assert list(done) == [one.name for one in wanted if one.name != deadly]
    assert not any(done.values()), "what it was in a part with is there"
    assert set(contents(tmp_path)) <= set(alone), "in the part's own files"
    [captured] = [one for one in wanted if one.name == deadly]
    [told] = cluster.made(str(tmp_path), [[captured]], OPTIONS, client)
    assert told.error == "every worker that took it died"


def test_a_part_whose_workers_are_killed_is_made_by_who_asks(
    client: Any, alone: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of its captures is at fault: the files are the same, byte for byte."""
    here, by_workers = os.getpid(), cluster.make

    def make(*given: Any) -> list[Done]:
        return (by_workers if os.getpid() == here else killing_part)(*given)

    monkeypatch.setattr(cluster, "make", make)
    monkeypatch.setattr(client.cluster.scheduler, "allowed_failures", 0)
    wanted = planned(tmp_path, SOURCES, OPTIONS)[0]
    done = list(cluster.made(str(tmp_path), [wanted], OPTIONS, client))
    assert all(one.made is not None for one in done) and len(done) == len(wanted) > 1
    made = contents(tmp_path)
    assert made == {name: alone[name] for name in made}


def test_a_worker_that_ends_while_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts: list[str] = []

    def fail(**_: object) -> None:
        starts.append("fails")
        raise RuntimeError("Nanny failed to start.")

    monkeypatch.setattr("distributed.LocalCluster", fail)
    with pytest.raises(OSError, match=r"no workers, .* Nanny failed to start") as raised:
        run(ExportJob(SOURCES, str(tmp_path), OPTIONS, workers=2), lambda _: None)
    assert raised.value.filename == "--workers"
    assert len(starts) == cluster.STARTS


def test_workers_are_started_again(
    alone: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import distributed

    start, left = distributed.LocalCluster, ["Nanny failed to start."]

    def fail_once(**options: Any) -> Any:
        if left:
            raise RuntimeError(left.pop())
        return start(**options)

    monkeypatch.setattr("distributed.LocalCluster", fail_once)
    run(ExportJob(SOURCES, str(tmp_path), OPTIONS, workers=1), lambda _: None)
    assert contents(tmp_path) == alone


def test_no_scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import dask

    with dask.config.set({"distributed.comm.timeouts.connect": "200ms"}):
        job = ExportJob(SOURCES, str(tmp_path), OPTIONS, scheduler="tcp://127.0.0.1:1")
        with pytest.raises(OSError, match="no scheduler there"):
            run(job, lambda _: None)


def test_a_scheduler_that_is_gone_is_said(client: Any) -> None:
    address = client.scheduler.address
    with (
        pytest.raises(OSError, match="the scheduler is gone") as raised,
        cluster.cluster(0, address, lambda _: None),
    ):
        raise CancelledError  # as Dask has it of each task
    assert raised.value.filename == address
