"""Tables as dask.dataframe: the same of a data set and of captures."""

from __future__ import annotations

import pytest
from support.corpus import ROOT

from wireproof.tables import TableOptions, dask, schema
from wireproof.tables.exporting import ExportJob, run

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
SSE = ROOT / "fixtures" / "sse"


@pytest.fixture(scope="module")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = str(tmp_path_factory.mktemp("frames") / "set")
    run(ExportJob([str(SSE)], place, TableOptions()), print)
    return place


def test_a_data_set_and_its_captures_give_the_same(data_set: str) -> None:
    of_captures = dask(SSE, "exchanges")
    assert of_captures.npartitions == len(list(SSE.glob("*.pcapng")))
    stored, found = (
        frame.compute(scheduler="sync").sort_values("capture").reset_index(drop=True)
        for frame in (dask(data_set, "exchanges"), of_captures)
    )
    assert list(found.columns) == schema("exchanges").names
    for column in ("capture", "target", "first_token", "end", "tokens", "time"):
        assert stored[column].to_list() == found[column].to_list(), column


def test_a_figure_by_target(data_set: str) -> None:
    found = dask(data_set, "elements").groupby("record").size().compute(scheduler="sync")
    assert found["request"] == found["response"] > 5


def test_a_table_without_rows_has_its_columns(data_set: str) -> None:
    frame = dask(data_set, "packets")
    assert list(frame.columns) == schema("packets").names
    assert len(frame.compute(scheduler="sync")) == 0


def test_what_is_not_there() -> None:
    with pytest.raises(FileNotFoundError):
        dask("none.pcap", "exchanges")
