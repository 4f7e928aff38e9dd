"""A notebook run by Jupyter's own client, with a kernel of its own: what docs/notebook.md says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest
from support.corpus import ROOT

CAPTURE = ROOT / "fixtures/nginx/chat.pcapng"
PAGE = (ROOT / "docs" / "notebook.md").read_text()
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def cells() -> list[str]:
    """The lines of the page's example, each as a cell, with a capture of ours."""
    (block,) = BLOCK.findall(PAGE)
    lines = [line for line in block.splitlines() if line]
    return [line.replace('"capture.pcapng"', repr(str(CAPTURE))) for line in lines]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_example_shows_tables_a_timeline_and_frames(tmp_path: Path) -> None:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells()])
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(book, timeout=120, resources=resources).execute()
    shown = {cell.source.partition(" ")[0]: html_of(cell) for cell in book.cells}
    assert "<td>held, whole</td>" in shown["capture"]
    assert re.search(r'<img alt="GET /chat: [^"]+" src="data:image/svg', shown["capture[1]"])
    assert "12 of 15 events came one by one" in shown["capture[1].summary"]
    for frame in ("capture.to_pandas()", "capture[1].to_polars()"):
        assert "sse_event" in shown[frame] and "<table" in shown[frame], frame
    assert "record: " in shown["capture.to_arrow()"]


def html_of(cell: Any) -> str:
    """What a cell shows: as HTML, else as text."""
    data = [output.data for output in cell.outputs if "data" in output]
    return "".join(one.get("text/html") or one["text/plain"] for one in data)
