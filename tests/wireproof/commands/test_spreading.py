"""Captures, stores or workers elsewhere: when rights are kept, and what is said of what fails."""

from __future__ import annotations

import pytest

from wireproof.cli import run
from wireproof.commands.exits import Unreadable
from wireproof.commands.spreading import needs_network, stores


@pytest.mark.parametrize(
    "values, is_needed",
    [
        ({"files": ("a.pcap",), "output": "dir"}, False),
        ({"files": ("a.pcap", "s3://bucket/b.pcap")}, True),
        ({"given": ("s3://bucket/set",)}, True),
        ({"files": ("a.pcap",), "output": "s3://bucket/set"}, True),
        ({"files": ("a.pcap",), "workers": 2}, True),
        ({"scheduler": "tcp://host:8786"}, True),
    ],
)
def test_needs_network(values: dict[str, object], is_needed: bool) -> None:
    assert needs_network(values) == is_needed


class Refused(Exception):
    """What a store's own library raises."""


Refused.__module__ = "botocore.exceptions"


@pytest.mark.parametrize(
    "error, said",
    [
        (Refused("no credentials\n  found"), "s3://bucket/set: no credentials found"),
        (Refused(), "s3://bucket/set: Refused"),
    ],
)
def test_errors_of_a_store_are_one_line(error: Exception, said: str) -> None:
    with pytest.raises(Unreadable) as found, stores(["captures", "s3://bucket/set", None]):
        raise error
    assert found.value.message == said


@pytest.mark.parametrize("error", [KeyError("ours"), OSError("known"), Unreadable("said")])
def test_other_errors_stay_as_they_are(error: Exception) -> None:
    with pytest.raises(type(error)) as found, stores(["s3://bucket/set"]):
        raise error
    assert found.value is error


def test_without_a_url_nothing_is_a_store_s() -> None:
    with pytest.raises(Refused), stores(["captures"]):
        raise Refused


@pytest.mark.parametrize(
    "arguments",
    [
        ["query", "memory://nothing", "SELECT 1"],
        ["diff", "memory://nothing", "memory://nothing"],
        ["export", "memory://nothing", "-o", "set/"],
    ],
)
def test_a_url_where_nothing_is_is_named(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert "wireproof: memory://nothing: no such file or folder\n" in capsys.readouterr().err
