"""What commands make of HTTP/3: the same as of HTTP/1.1, or a plain word that they do not."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from wireproof.cli import main

CAPTURE = Path(__file__).parents[2] / "fixtures" / "quic" / "h3_keyupdate.pcap"
KEYS = ["--keylog", str(CAPTURE.with_suffix(".keys"))]


def said(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    out, err = capfd.readouterr()
    return int(ended.value.code or 0), out, err


def test_ls_and_explain(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capfd, "ls", str(CAPTURE), *KEYS)
    assert code == 0
    assert "GET /sse" in out and "streamed, whole" in out
    code, out, _ = said(capfd, "explain", str(CAPTURE), *KEYS)
    assert code == 0
    assert "streamed, whole: 7 events" in out


def test_the_table(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capfd, "decode", str(CAPTURE), "--format", "table", *KEYS)
    assert code == 0
    for text in (
        "GET /sse HTTP/3", "HTTP/3 200", "body complete (FIN): 262 bytes", "QUIC v1; 2 key updates",
        "TLS 1.3, localhost, h3 chosen", "closed by the client (CONNECTION_CLOSE)",
    ):  # fmt: skip
        assert text in out


@pytest.mark.parametrize("view", ["wireshark", "devtools"])
def test_other_views(capfd: pytest.CaptureFixture[str], view: str) -> None:
    code, out, _ = said(capfd, "decode", str(CAPTURE), "--view", view, *KEYS)
    assert (code, "/sse" in out) == (0, True)


def test_an_exchange_is_chosen_by_the_number_of_its_connection(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = said(capfd, "ls", str(CAPTURE), "--exchange", "1000000000/0", *KEYS)
    assert (code, "GET /sse" in out) == (0, True)


def test_without_keys(capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capfd, "ls", str(CAPTURE))
    assert "1 QUIC connection not decrypted: give its keys with --keylog" in err
    assert code == 0


def test_jobs(capfd: pytest.CaptureFixture[str]) -> None:
    line = ["decode", str(CAPTURE), "--format", "ndjson", *KEYS]
    assert said(capfd, *line, "--jobs", "2")[1] == said(capfd, *line)[1]


def test_what_is_not_followed(capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capfd, "follow", str(CAPTURE), "--connection", "1000000000", *KEYS)
    assert code == 2
    assert "only the content of QUIC's exchanges is followed: --layer body" in err


def test_the_content_of_an_exchange_is_followed(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """To the byte what the client received."""
    line = ["follow", str(CAPTURE), *KEYS, "--exchange", "1000000000/0", "--sender", "server"]
    with pytest.raises(SystemExit) as ended:
        main([*line, "--layer", "body", "--raw"])
    assert not ended.value.code
    (stream,) = json.loads(CAPTURE.with_suffix(".truth.json").read_text())["streams"]
    found = capfdbinary.readouterr().out
    assert (len(found), sha256(found).hexdigest()) == (stream["bytes"], stream["sha256"])
