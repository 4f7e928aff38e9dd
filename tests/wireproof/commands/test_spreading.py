"""When rights are kept: where captures or workers are elsewhere."""

from __future__ import annotations

import pytest

from wireproof.commands.spreading import needs_network


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
