"""The chart of docs/performance.md is that of its table."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location

from support.corpus import ROOT


def test_the_chart_is_current() -> None:
    spec = spec_from_file_location("performance", ROOT / "docs" / "performance.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    assert {"start", "a", "j"} <= {name for name, _ in module.rows()}
    assert module.picture() == module.PICTURE.read_text()
