"""A command line that is read without click, as click reads it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.corpus import ROOT

from benchmarks.packets import write
from wireproof import cli, plain
from wireproof.tasks import decode as decoding
from wireproof.tasks.decode import DecodeOptions

PLAIN = str(ROOT / "fixtures" / "chunked" / "plain.pcapng")
WORDS = (
    *("decode", "a.pcapng", "b.pcapng", "-", "--", "", "x y.csv", "--no-data", "--records"),
    *("-o", "out.csv", "out.ndjson", "-o=c.csv", "-oc.csv", "--output", "--output=d.json"),
    *("--output=", "--format", "--format=json", "csv", "table", "devtools", "--view", "NDJSON"),
    *("--jobs", "--jobs=2", "2", "0", "-1", "02", "+2", " 2", "\u0662", "1" * 12, "--keep-rights"),
    *("--connection", "--path=/v1", "--form", "--no-data=1", "ls", "--help", "out.txt"),
)


def by_click(arguments: Sequence[str]) -> DecodeOptions | None:
    """What click has decoded; None if nothing is."""
    asked: list[DecodeOptions] = []

    def run(options: DecodeOptions, say: object) -> bool:
        asked.append(options)
        return True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "run", run)
        patch.setattr("sys.stdout", sys.stderr)
        patch.delenv("SSLKEYLOGFILE", raising=False)
        cli.run(arguments)
    return asked[0] if asked else None


def by_itself(arguments: Sequence[str]) -> DecodeOptions | None:
    values = plain.read(arguments)
    return None if values is None else plain.options_of(values)


@given(st.lists(st.sampled_from(WORDS), max_size=6).map(lambda words: ["decode", *words]))
def test_click_reads_the_same(arguments: list[str]) -> None:
    found = by_itself(arguments)
    if found is not None:
        assert found == by_click(arguments)


@pytest.mark.parametrize(
    "words",
    [
        "a.pcapng",
        "a.pcapng -o out.csv --no-data",
        "--format ndjson a.pcapng --jobs 4",
        "--records --output=out.json --keep-rights a.pcapng --view=json --jobs=1",
    ],
)
def test_what_most_write_is_read(words: str) -> None:
    arguments = ["decode", *words.split()]
    found = by_itself(arguments)
    assert found is not None
    assert found == by_click(arguments)


@pytest.mark.parametrize(
    "words",
    ["", "ls a.pcapng", "decode", "decode a b", "decode - -o x.csv", "decode a -o x.txt"]
    + ["decode a --format x", "decode a --jobs 0", "decode a --view json --format json"]
    + ["decode a -o", "decode a --jobs x", "decode a --format -o", "decode a --path=/v1"],
)
def test_anything_else_is_clicks(words: str) -> None:
    assert by_itself(words.split()) is None


def test_only_where_files_have_one_kind_of_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere click looks for files of a pattern."""
    monkeypatch.setattr("os.name", "nt")
    assert plain.read(["decode", "a.pcapng"]) is None


# --- as a process ---

PRELUDE = """
import sys
from wireproof.__main__ import run
sys.argv[1:] = {arguments!r}
code = run()
sys.stdout.flush()
sys.exit(100 * ("click" in sys.modules) + code)
"""


def process(*arguments: str, **environment: str) -> tuple[int, bytes, str]:
    """Exit code, with 100 more if click was loaded, and what was put out and said."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE.format(arguments=list(arguments))],
        env=environment,
        capture_output=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr.decode()


def alike(*arguments: str) -> tuple[int, bytes, str]:
    """Run a command both ways; return what comes of it, however it was read."""
    here = process(*arguments)
    code, *rest = process(*arguments, SSLKEYLOGFILE="/nowhere")
    assert code >= 100
    assert (code - 100, *rest) == (here[0] % 100, *here[1:])
    return here


def test_a_decode_needs_no_click(tmp_path: Path) -> None:
    code, out, said = alike("decode", PLAIN)
    assert (code, said) == (0, "")
    assert out.count(b"\n") > 5
    assert alike("decode", PLAIN, "--keep-rights", "--format=ndjson") == (0, out, "")
    output = tmp_path / "out.ndjson"
    assert alike("decode", PLAIN, "-o", str(output)) == (0, b"", "")
    assert output.read_bytes() == out


def test_what_goes_wrong_is_said_as_ever(tmp_path: Path) -> None:
    missing, output = tmp_path / "missing.pcapng", tmp_path / "out.ndjson"
    assert alike("decode", str(missing)) == (
        102, b"", f"wireproof: {missing}: No such file or directory\n"
    )  # fmt: skip
    code, _, said = alike("decode", str(Path(__file__)), "-o", str(output))
    assert code == 102
    assert said.startswith(f"wireproof: {__file__}: ")
    assert not output.exists()
    code, out, said = alike("decode", PLAIN, "-o", "/dev/full")
    assert (code, out) == (102, b"")
    assert said == "wireproof: /dev/full: No space left on device\n"


def test_a_capture_without_connections(tmp_path: Path) -> None:
    path = tmp_path / "empty.pcapng"
    write(path, [])
    code, _, said = alike("decode", str(path))
    assert code == 100
    assert said.endswith("no TCP connection\n")


def test_a_library_that_is_hidden_is_there_again() -> None:
    code = (
        "import sys; from wireproof.plain import _load_msgspec; _load_msgspec();"
        "assert 'typing_extensions' not in sys.modules;"
        "import typing_extensions; _load_msgspec(); assert sys.modules['typing_extensions']"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
