"""What is deployed: the unit and the container start what there is, with the rights it takes."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml
from support.corpus import ROOT

from wireproof.commands.collect import collect

UNIT = (ROOT / "deploy" / "wireproof-collect.service").read_text()
IMAGE = (ROOT / "deploy" / "Containerfile").read_text()
PAGE = (ROOT / "docs" / "collect.md").read_text()


def options(words: list[str]) -> dict[str, object]:
    """What the command line makes of the words after its name; nothing is started."""
    with click.Context(click.Group("wireproof")) as parent:
        return collect.make_context("collect", list(words), parent=parent).params


def set_by(name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)


def test_the_unit_starts_what_there_is() -> None:
    values = dict(word.split("=", 1) for word in shlex.split(set_by("Environment")[0]))
    [line] = set_by("ExecStart")
    words = shlex.split(re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], line))
    assert words[1] == "collect"
    found = options(words[2:])
    assert (found["ports"], found["metrics"]) == ((8000,), ("127.0.0.1", 9464))
    [state] = set_by("StateDirectory")
    for place in (found["ring"], found["output"]):
        assert str(place).startswith(f"/var/lib/{state}/")


def test_the_unit_gives_one_capability_and_lets_the_recorder_end() -> None:
    assert set_by("AmbientCapabilities") == set_by("CapabilityBoundingSet") == ["CAP_NET_RAW"]
    assert set_by("KillMode") == ["mixed"]
    assert "AF_PACKET" in set_by("RestrictAddressFamilies")[0]


@pytest.mark.tool("systemd-analyze")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "wireproof-collect.service"
    unit.write_text(UNIT.replace("/opt/wireproof/bin/wireproof", sys.executable))
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_image_starts_what_there_is() -> None:
    [entry] = re.findall(r"^ENTRYPOINT (.*)$", IMAGE, re.MULTILINE)
    assert json.loads(entry)[-2:] == ["-m", "wireproof"]
    [words] = re.findall(r"^#     wireproof collect (.*)$", IMAGE, re.MULTILINE)
    assert options(shlex.split(words))["ring"] == "/ring"
    extras = re.findall(r"/source\[([a-z0-9,]+)\]", IMAGE)[0].split(",")
    offered = re.findall(r"^(\w+) = \[$", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert set(extras) <= set(offered)


def instructions() -> list[tuple[str, str]]:
    """The Containerfile's, each with its arguments, as a builder joins their lines."""
    kept = [line for line in IMAGE.splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n", "", "\n".join(kept))
    return [
        (name, rest)
        for name, _, rest in (line.partition(" ") for line in joined.split("\n"))
        if name
    ]


def test_the_image_is_written_as_a_builder_reads_it() -> None:
    """Dockerfile reference: known instructions, shells that parse, stages and paths there are."""
    found = instructions()
    known = {"FROM", "COPY", "RUN", "USER", "ENV", "VOLUME", "EXPOSE", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in found} <= known and found[0][0] == "FROM"
    for name, rest in found:
        if name == "RUN":
            subprocess.run(["sh", "-nc", rest], check=True)
        elif name in ("VOLUME", "ENTRYPOINT", "CMD"):
            assert all(isinstance(word, str) for word in json.loads(rest))
    stages = re.findall(r"^FROM \S+ AS (\w+)$", IMAGE, re.MULTILINE)
    assert re.findall(r"--from=(\w+)", IMAGE) == stages
    images = {rest.split()[0] for name, rest in found if name == "FROM"}
    assert len(images) == 1, "a virtual environment is for the Python that made it"
    [user] = re.findall(r"^USER (\d+)$", IMAGE, re.MULTILINE)
    assert f"useradd --system --uid {user} " in IMAGE
    [entry] = [json.loads(rest) for name, rest in found if name == "ENTRYPOINT"]
    assert f"ln -s /usr/local/bin/python-capture {entry[0]}" in IMAGE


def test_the_sidecar_of_the_page_starts_what_there_is() -> None:
    [text] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    [container] = yaml.safe_load(text)["containers"]
    command, *words = container["args"]
    assert command == "collect" and options(words)["ports"] == (8000,)
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["NET_RAW"]}


def test_the_page_names_every_option() -> None:
    named = {name for option in collect.params for name in option.opts}
    for name in re.findall(r"`(--[a-z-]+)[ `]", PAGE):
        assert name in named | {"--no-redact"}, name
    told = set(re.findall(r"--[a-z-]+", PAGE))
    rest = {"--output", "--interface", "--no-redact", "--redact-headers", "--keep", "--mask"}
    assert named - {"-o", "-i"} - rest - {"--personal"} <= told
