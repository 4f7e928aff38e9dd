"""The design sheet: what it says is what the page and the pictures have."""

from __future__ import annotations

import re

from support.corpus import ROOT

from wireproof.plot import figure

ROW = re.compile(r"^\| (\w+) \| (#[0-9a-f]{6}) \| (#[0-9a-f]{6}) \|", re.MULTILINE)
NAMES = {"client", "server", "control", "good", "quiet", "warn", "bad", "chosen", "ink"}


def sheet() -> dict[str, tuple[str, str]]:
    text = (ROOT / "docs/design.md").read_text()
    return {name: (light, dark) for name, light, dark in ROW.findall(text)}


def test_the_page_has_these_colours_in_both_themes() -> None:
    style = (ROOT / "wireproof/web/page/base.css").read_text()
    assert sheet().keys() == NAMES
    for name, (light, dark) in sheet().items():
        assert re.findall(rf"--{name}: (#\w+);", style) == [light, dark, dark]


def test_pictures_have_them_too() -> None:
    light = {name: colours[0] for name, colours in sheet().items()}
    assert (*(light["client"], light["server"], light["bad"]),) == (
        figure.CLIENT,
        figure.SERVER,
        figure.FAULT,
    )
    assert (light["control"], light["ink"]) == (figure.GREY, figure.INK)
    assert {
        "ok": light["good"],
        "note": light["quiet"],
        "warning": light["warn"],
        "error": light["bad"],
    } == figure.SEVERITY_COLOURS
