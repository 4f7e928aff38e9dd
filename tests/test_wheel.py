"""The built wheel, in projects that have a ``server/``, ``parsers/`` or ``capture/`` of their own.

The wheel is built from the source distribution, as an installer would, and installed into a
virtual environment that finds its dependencies, and nothing of this checkout, by a .pth file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "tests" / "samples"
PATIENCE = 300.0
WITHOUT_TIME = ["-pno:hypothesispytest", "-pno:cov", "-pno:cacheprovider"]
"""Plugins of this checkout's environment that only cost time."""


def run(*command: str | Path, cwd: Path, code: int = 0) -> str:
    """Run a command and return what it said; ``code`` is the exit code that it must have."""
    done = subprocess.run(
        [os.fspath(word) for word in command],
        cwd=cwd,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == code, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build it from the source distribution, without the network: hatchling is at hand."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=ROOT)
    (source,) = folder.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        if hasattr(tarfile, "data_filter"):  # Debian's 3.11.2 has none
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(folder)
    unpacked = folder / source.name.removesuffix(".tar.gz")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=unpacked)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the ``bin`` of an environment with the wheel and its dependencies."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False)
    bin_folder = folder / "bin"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python"]
    install = ["install", "--quiet", "--no-deps", "--no-index"]
    run(*pip, bin_folder / "python", *install, wheel, cwd=folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    # A folder on a .pth line is searched, but its own .pth files, as the checkout's, are not read.
    ours = [entry for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
    (packages / "dependencies.pth").write_text("\n".join(ours) + "\n")
    return bin_folder


def is_shipped(path: Path) -> bool:
    """Whether a path of the checkout belongs into the wheel: no cache, no settings of a tool."""
    is_hidden = any(part.startswith((".", "__pycache__")) for part in path.parts)
    return not is_hidden and path.suffix != ".toml" and (ROOT / path).is_file()


def test_everything_lies_under_one_name(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"wireproof"}
    for package in ("capture", "parsers", "server"):
        ours = (path.relative_to(ROOT) for path in (ROOT / package).rglob("*.*"))
        wanted = {f"wireproof/{path}" for path in ours if is_shipped(path)}
        assert wanted <= set(names)
    assert not [name for name in names if name.endswith("ruff.toml")]
    assert len(names) == len(set(names))


def test_the_checkout_does_not_leak_in(installed: Path, tmp_path: Path) -> None:
    script = "import wireproof as w, wireproof.parsers.records as r; print(w.__file__, r.__file__)"
    for path in run(installed / "python", "-c", script, cwd=tmp_path).split():
        assert Path(path).is_relative_to(installed.parent)
    for package in ("capture", "parsers", "server"):
        run(installed / "python", "-c", f"import {package}", cwd=tmp_path, code=1)


def test_the_command_works_beside_a_projects_own_server(installed: Path) -> None:
    here = SAMPLES / "fastapi_sse"
    capture = ROOT / "fixtures" / "sse" / "plain.pcapng"
    assert run(installed / "wireproof", "--version", cwd=here).startswith("wireproof")
    assert '"record":"sse_event"' in run(
        installed / "python", "-m", "wireproof", "decode", capture, "--format", "ndjson", cwd=here
    )


@pytest.mark.packets
def test_the_demo_works_beside_a_projects_own_server(installed: Path) -> None:
    text = run(installed / "wireproof", "demo", "--delay", "0.005", cwd=SAMPLES / "fastapi_sse")
    assert text.count("1000 normal closure") >= 2
    assert "What arrived" in text


@pytest.mark.packets
@pytest.mark.parametrize(("sample", "passed"), [("fastapi_sse", 7), ("websockets_chat", 4)])
def test_a_sample_projects_suite_passes(
    sample: str, passed: int, installed: Path, tmp_path: Path
) -> None:
    project = tmp_path / sample
    shutil.copytree(SAMPLES / sample, project, ignore=shutil.ignore_patterns("__pycache__"))
    text = run(installed / "python", "-m", "pytest", "-q", *WITHOUT_TIME, cwd=project)
    assert f"{passed} passed" in text, text
    assert not (project / ".wireproof").exists()
