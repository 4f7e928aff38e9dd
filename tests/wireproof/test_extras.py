"""What is missing of an extra, and what a command says of it."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import get_args

import pytest
from support.corpus import ROOT

from wireproof import extras
from wireproof.cli import run
from wireproof.extras import Extra, Lack, lacks

PLAIN = str(ROOT / "fixtures" / "sse" / "plain.pcapng")
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
TABLE = [
    "click>=8.0.2",
    "fastapi>=0.135; extra == 'demo'",
    'httpx-sse>=0.4; extra == "demo"',
    "pyarrow>=17; extra == 'parquet'",
]
"""As the metadata of an installation has it."""


def install(monkeypatch: pytest.MonkeyPatch, **versions: str) -> None:
    """Let these be what is installed, underscores for hyphens, and TABLE what is asked for."""

    def version(name: str) -> str:
        if (found := versions.get(name.replace("-", "_"))) is None:
            raise PackageNotFoundError(name)
        return found

    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setattr(metadata, "requires", lambda _: TABLE)


def test_the_extras_are_those_of_the_project() -> None:
    named = set(get_args(Extra))
    assert named | {"all", "dev"} == set(EXTRAS)
    assert EXTRAS["all"] == [f"wireproof[{','.join(sorted(named))}]"]
    assert "wireproof[all]" in EXTRAS["dev"]


@pytest.mark.parametrize("extra", get_args(Extra))
def test_bounds_can_be_read_without_a_library(extra: Extra) -> None:
    for requirement in EXTRAS[extra]:
        assert extras.REQUIREMENT.fullmatch(f"{requirement}; extra == '{extra}'"), requirement


@pytest.mark.parametrize("extra", get_args(Extra))
def test_here_nothing_is_missing(extra: Extra) -> None:
    assert lacks(extra) == []


@pytest.mark.parametrize(
    ("installed", "lacking"),
    [
        ({"fastapi": "0.135.0", "httpx_sse": "0.4"}, []),
        ({"fastapi": "1.0", "httpx_sse": "0.10.1"}, []),
        ({"fastapi": "0.135.0rc1", "httpx_sse": "1"}, []),
        ({"fastapi": "0.115.6", "httpx_sse": "0.4"}, [Lack("fastapi", "0.135", "0.115.6")]),
        ({"fastapi": "0.135"}, [Lack("httpx-sse", "0.4", None)]),
        ({}, [Lack("fastapi", "0.135", None), Lack("httpx-sse", "0.4", None)]),
    ],
)
def test_what_is_missing(
    installed: dict[str, str], lacking: list[Lack], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, **installed)
    assert lacks("demo") == lacking


def test_without_an_installation_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def requires(name: str) -> list[str]:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", requires)
    assert lacks("demo") == []


@pytest.mark.parametrize(
    ("arguments", "what", "extra"),
    [
        (["serve"], "the demo server", "demo"),
        (["demo", "sse"], "the demo", "demo"),
        (["capture", "sse", "-o", "x.pcapng"], "capture TRANSPORT", "demo"),
        (["view", PLAIN], "the inspector", "inspector"),
        (["export", PLAIN, "-o", "x.parquet"], "Parquet", "parquet"),
        (["plot", PLAIN, "-o", "x.png"], "a plot", "plot"),
        (["decode", PLAIN, "--select", "a"], "--select", "select"),
    ],
)
def test_a_command_names_its_extra(
    arguments: list[str],
    what: str,
    extra: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(metadata, "requires", lambda _: [f"other>=1; extra == '{extra}'"])
    assert run(arguments) == 3
    said = capsys.readouterr().err
    assert said == f"wireproof: {what} needs other: pip install 'wireproof[{extra}]'\n"
    assert list(tmp_path.iterdir()) == []


def test_what_would_replace_a_projects_own_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(monkeypatch, fastapi="0.115.6")
    assert run(["serve"]) == 3
    said = capsys.readouterr().err
    assert "needs fastapi 0.135 or newer (found 0.115.6), httpx-sse: " in said
    assert re.search(r"pip install 'wireproof\[demo\]', in an environment of its own\n$", said)
