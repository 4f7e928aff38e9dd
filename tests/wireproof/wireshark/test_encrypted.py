"""TLS and HTTP/2 beside tshark: records, what hellos agreed on, frames."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from support.beside import without_pyshark
from support.corpus import tls_captures_at_hand
from support.talk import Talk
from support.tls import TLS13, record, sealed

from parsers import KeyLog
from wireproof.cli import run
from wireproof.wireshark.compare import UNEXPLAINED, Row
from wireproof.wireshark.encrypted import Agreed
from wireproof.wireshark.http2 import error_name, frame_type, setting_name
from wireproof.wireshark.locate import find_tshark
from wireproof.wireshark.side_by_side import compare


@pytest.fixture(autouse=True)
def _ask_tshark_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    """What pyshark says instead is compared in its own module."""
    without_pyshark(monkeypatch)


OVER_TCP = [path for path in tls_captures_at_hand() if not path.stem.startswith("h3_")]
JOINED = ("hypercorn_mux20_midstream",)
"""Tshark cannot decrypt what it has not seen from the beginning."""


def rows(path: Path) -> list[Row]:
    with compare(path, find_tshark()) as comparison:
        return list(comparison.rows())


def stored(talk: Talk, tmp_path: Path) -> Path:
    path = tmp_path / "tls.pcapng"
    path.write_bytes(talk.tape.file())
    return path


def names(found: list[Row]) -> Counter[str]:
    """What there is of each kind, equal or explained."""
    return Counter(row.element for row in found)


@pytest.mark.tshark
@pytest.mark.parametrize("path", OVER_TCP, ids=lambda path: path.stem)
def test_captures(path: Path) -> None:
    """Nothing is unexplained, and records or frames were compared."""
    found = rows(path)
    assert [row for row in found if row.verdict in UNEXPLAINED] == []
    assert names(found)["tls_record"] + names(found)["http2_frame"] > 20


@pytest.mark.tshark
@pytest.mark.parametrize(
    "path",
    [path for path in OVER_TCP if path.with_suffix(".keys").exists() and path.stem not in JOINED],
    ids=lambda path: path.stem,
)
def test_captures_with_their_keys(path: Path) -> None:
    """Both decrypt with the same secrets, and agree but for the body that Wireshark shows twice;
    after a lost packet only we show anything."""
    keylog = KeyLog.open(path.with_suffix(".keys"))
    with compare(path, find_tshark(), keylog=keylog) as comparison:
        found = list(comparison.rows())
    assert [row for row in found if row.verdict in UNEXPLAINED] == []
    inner = names(found)["http2_frame"] + names(found)["request"]
    assert inner > 5
    if "lost" in path.stem:
        assert {row.explanation.name for row in found if row.explanation} == {"behind-gap"}
    else:
        explained = [row for row in found if row.verdict != "equal"]
        assert {row.field for row in explained} <= {"data"}
        assert {row.explanation.name for row in explained if row.explanation} <= {
            "whole-body-again"
        }
        alpn = [row.wireshark for row in found if row.field == "alpn"]
        sections = names(found)["http2_section"]
        assert (alpn == ["h2"] and sections > 5) or names(found)["request"]


@pytest.mark.tshark
@pytest.mark.parametrize(
    "path",
    [path for path in OVER_TCP if path.stem == "node_h2_ws_clear"],
    ids=lambda path: path.stem,
)
def test_websocket_frames_in_http2(path: Path) -> None:
    explained = [row for row in rows(path) if row.explanation is not None]
    assert {row.explanation.name for row in explained if row.explanation} == {"websocket-in-http2"}
    assert {row.element for row in explained} == {"websocket_frame"}


@pytest.mark.tshark
def test_records_and_hellos(tmp_path: Path) -> None:
    talk = Talk(server_port=443).open()
    for sender, data in TLS13:
        talk.segment(sender, data)
    talk.close()
    found = rows(stored(talk, tmp_path))
    assert {row.verdict for row in found} == {"equal"}
    agreed = {row.field: row.wireshark for row in found if row.element == "tls"}
    assert agreed == {
        "sni": "api.example.test", "version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384",
        "alpn_offered": "h2, http/1.1", "alpn": None, "alert": None,
    }  # fmt: skip
    sizes = [row.wireshark for row in found if row.element == "tls_record" and row.field == "size"]
    assert len(sizes) == 12
    assert 250 in sizes


@pytest.mark.tshark
def test_an_alert(tmp_path: Path) -> None:
    talk = Talk(server_port=443).open()
    talk.segment("client", TLS13[0][1])
    talk.segment("server", record(21, bytes((2, 70))))
    talk.close()
    found = rows(stored(talk, tmp_path))
    assert {row.verdict for row in found} == {"equal"}
    assert [row.wireshark for row in found if row.field == "alert"] == [70]


@pytest.mark.tshark
def test_after_a_lost_packet_wireshark_shows_nothing(tmp_path: Path) -> None:
    talk = Talk(server_port=443).open()
    for sender, data in TLS13[:4]:
        talk.segment(sender, data)
    talk.segment("server", sealed(66, 6))
    talk.lose("server", 71)
    talk.segment("server", sealed(64, 7) + sealed(67, 8))
    talk.close()
    found = rows(stored(talk, tmp_path))
    assert [row for row in found if row.verdict in UNEXPLAINED] == []
    unseen = [row for row in found if row.verdict == "explained" and row.field == "all"]
    assert {row.element for row in unseen} == {"tls_record"}
    assert {row.explanation.name for row in unseen if row.explanation} == {"behind-gap"}


@pytest.mark.tshark
def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    talk = Talk(server_port=443).open()
    for sender, data in TLS13:
        talk.segment(sender, data)
    talk.close()
    assert run(["compare", "--format", "json", str(stored(talk, tmp_path))]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert {row["element"] for row in shown["rows"]} == {"connection", "tls", "tls_record"}


def test_names() -> None:
    assert (error_name(8), error_name(99)) == ("CANCEL", "0x63")
    assert (setting_name(4), setting_name(0x99)) == ("INITIAL_WINDOW_SIZE", "0x99")
    assert (frame_type(0), frame_type(8), frame_type(0x10)) == ("DATA", "WINDOW_UPDATE", "0x10")


def test_what_hellos_agree_on() -> None:
    """ServerHello chooses: what ClientHello offers of the same fields is not taken."""
    agreed = Agreed(0, 4)
    agreed.begin(1)
    agreed.server_name("first")
    agreed.version("0x0303", is_extension=False)
    agreed.version("0x0304", is_extension=True)
    agreed.suite("Cipher Suite: TLS_OFFERED (0x1301)")
    agreed.protocol("h2")
    agreed.protocol("http/1.1")
    agreed.begin(1)
    agreed.protocol("offered again")
    agreed.begin(2)
    agreed.server_name("nobody")
    agreed.version("0x0304", is_extension=True)
    agreed.version("0x0303", is_extension=False)
    agreed.suite("Cipher Suite: TLS_CHOSEN (0x1302)")
    agreed.begin(8)
    agreed.protocol("h2")
    agreed.level(1)
    agreed.alert(0)
    agreed.level(2)
    agreed.alert(40)
    agreed.alert(50)
    assert agreed.element.values == {
        "sni": "first", "alpn_offered": "h2, http/1.1", "version": "TLSv1.3",
        "cipher": "TLS_CHOSEN", "alpn": "h2", "alert": 40,
    }  # fmt: skip
