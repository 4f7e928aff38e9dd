"""How tshark is run: what it is given, and how it may end."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import pytest

from wireproof.wireshark.locate import Tshark
from wireproof.wireshark.run import TsharkFailed, run_command, run_tshark


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_the_output_is_a_stream() -> None:
    with run_command(python("print('a'); print('b')")) as output:
        assert list(output) == [b"a\n", b"b\n"]


def test_a_capture_cannot_be_taken_for_an_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = tmp_path / "tshark"
    shown.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    shown.chmod(0o755)
    tshark = Tshark(str(shown), (4, 0, 0))
    with run_tshark(tshark, Path("-X lua"), ["-T", "pdml"]) as output:
        said = output.read().decode()
    expected = ["-n", "-o", "tcp.reassemble_out_of_order:TRUE", "-r", f"{tmp_path}/-X lua"]
    assert said.splitlines() == [*expected, "-T", "pdml"]


def test_the_profile_of_the_user_is_left_out() -> None:
    with run_command(
        python("import os; print(os.listdir(os.environ['WIRESHARK_CONFIG_DIR']))")
    ) as o:
        assert o.read() == b"[]\n"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise SystemExit(3)", "tshark ended with exit code 3: it said nothing"),
        ("import sys; sys.exit('first\\nlast')", "tshark ended with exit code 1: last"),
        ("import os; os.kill(os.getpid(), 11)", "tshark ended with signal 11: it said nothing"),
    ],
)
def test_a_crash_is_one_line(code: str, said: str) -> None:
    with pytest.raises(TsharkFailed) as raised, run_command(python(code)) as output:
        output.read()
    assert str(raised.value) == said


@pytest.mark.parametrize(
    "said",
    [
        "appears to have been cut short",
        "appears to be damaged or corrupt.",
        "(pcap: File has 8323328-byte packet, bigger than maximum of 262144)",
    ],
)
def test_a_capture_that_ends_early_is_no_crash(said: str) -> None:
    code = f"import sys; print('x'); print({said!r}, file=sys.stderr)"
    with run_command(python(code + "; sys.exit(2)")) as output:
        assert output.read() == b"x\n"


def test_one_that_takes_too_long_is_ended() -> None:
    with (
        pytest.raises(TsharkFailed, match=r"ended after 0\.3 s without an answer"),
        run_command(["sleep", "60"], seconds=0.3) as output,
    ):
        output.read()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds another process's memory")
def test_one_that_takes_too_much_memory_is_ended() -> None:
    code = "import time; time.sleep(0.3); bytes(1 << 30)"
    with (
        pytest.raises(TsharkFailed, match="exit code 1: MemoryError"),
        run_command(python(code), memory=256 << 20) as output,
    ):
        output.read()


def test_a_fault_of_the_reader_ends_it() -> None:
    with pytest.raises(ZeroDivisionError), run_command(["sleep", "60"]):
        raise ZeroDivisionError


def test_where_memory_cannot_be_bounded_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with run_command(python("print('x')"), memory=1) as output:
        assert output.read() == b"x\n"


def test_a_command_that_has_ended_needs_no_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(*_: object) -> None:
        raise ProcessLookupError

    monkeypatch.setattr(resource, "prlimit", ended, raising=False)
    with run_command(python("print('x')")) as output:
        assert output.read() == b"x\n"
