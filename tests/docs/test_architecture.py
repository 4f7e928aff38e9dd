"""The picture and the tables are what the source says, and no import points up."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from support.corpus import ROOT

SCRIPT = ROOT / "docs" / "architecture.py"
PAGE = SCRIPT.with_suffix(".md")
PICTURE = SCRIPT.with_suffix(".svg")
WRITTEN: dict[str, Any] = runpy.run_path(str(SCRIPT))
PACKAGES = WRITTEN["PACKAGES"]
SVG = "{http://www.w3.org/2000/svg}"
MAY_IMPORT = {
    "parsers": set(),
    "server": set(),
    "capture": {"parsers"},
    "wireproof": {"parsers", "capture", "server"},
}


def modules() -> dict[str, Path]:
    return WRITTEN["modules"]()  # type: ignore[no-any-return]


@pytest.mark.parametrize(("path", "text"), [(PAGE, "page"), (PICTURE, "picture")])
def test_both_are_what_the_source_says(path: Path, text: str) -> None:
    assert path.read_text() == WRITTEN[text](), "write it anew: make reference"


def test_no_module_imports_in_a_circle() -> None:
    """Within functions neither."""
    WRITTEN["floors"]({name: WRITTEN["imports_of"](name) for name in modules()})


@pytest.mark.parametrize("package", PACKAGES)
def test_every_arrow_points_down(package: str) -> None:
    house = WRITTEN["house"](package)
    row = {box.wing: number for number, boxes in enumerate(house.rows) for box in boxes}
    assert all(row[start] < row[end] for start, end in house.arrows())


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_keep_their_borders(package: str) -> None:
    own = [name for name in modules() if name.split(".")[0] == package]
    used = {other.split(".")[0] for name in own for other in WRITTEN["imports_of"](name)}
    assert used - {package} == MAY_IMPORT[package]


def test_every_wing_is_in_the_picture() -> None:
    shown = {text.text for text in ElementTree.parse(PICTURE).iter(f"{SVG}text")}
    for name, path in modules().items():
        if path.name == "__init__.py" and name.count(".") < 2:  # a room is of its wing
            assert f"{name.split('.')[-1]}/" in shown, name


def test_every_file_has_its_row() -> None:
    tables = PAGE.read_text().partition(WRITTEN["TABLES"])[2]
    for path in modules().values():
        if path.name != "__init__.py":
            assert f"| `{path.name}` | " in tables, path


def test_every_module_says_what_it_is() -> None:
    assert [name for name in modules() if not WRITTEN["first_sentence"](name)] == []


def test_a_circle_is_named() -> None:
    floors = WRITTEN["floors"]
    assert floors({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == {"a": 2, "b": 1, "c": 0}
    with pytest.raises(ValueError, match="a circle: . imports . imports ."):
        floors({"a": {"b"}, "b": {"a"}})


def test_imports_within_functions_count_and_those_of_type_checkers_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        "from typing import TYPE_CHECKING\n"
        "import parsers.limits\n"
        "from . import records\n"
        "if TYPE_CHECKING:\n    from parsers.sse import stream\n"
        "def late():\n    from ..parsers.http1.head import Fields\n"
    )
    imports_of = WRITTEN["imports_of"]
    known = modules()
    monkeypatch.setitem(known, "parsers.module", module)
    found = imports_of("parsers.module")
    assert found == {"parsers.limits", "parsers.records", "parsers.http1.head"}
