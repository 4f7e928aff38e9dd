"""What checks the scripts of the page, where there is no node: it says so, and fails in CI."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from support.corpus import ROOT


@pytest.mark.parametrize(("environment", "code"), [({}, 0), ({"CI": "true"}, 1)])
def test_without_node_the_reason_is_named(
    tmp_path: Path, environment: dict[str, str], code: int
) -> None:
    for tool in ("sh", "dirname", "id"):
        path = shutil.which(tool)
        assert path is not None
        (tmp_path / tool).symlink_to(path)
    ended = subprocess.run(
        [tmp_path / "sh", ROOT / ".ci/scripts"],
        env={"PATH": str(tmp_path), **environment}, capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == code, ended.stderr
    assert "Debian: apt install" in ended.stderr and "nodejs npm" in ended.stderr
