"""``python tests/support/own_coverage.py [FOLDER ...|all]``: what decoders' own tests leave out.

Strategy: of each folder of ``parsers/`` its own tests alone count, those of the same folder of
``tests/parsers/``, and of these the cases that are written down: what a property draws is another
thing each time. ``top`` stands for the modules that are in no folder, and for what they
gather: the kinds of records, the faults and the codings. Two processes run them all, and coverage
is told whose test it is. So it takes a fraction of what all tests under coverage do, and every line
and branch that is left out is one that nobody thought of. Exits with 1 if there is any:
without a name in the folders of WHOLE, of which all is held, in a minute or so on two cores.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from coverage import Coverage

ROOT = Path(__file__).resolve().parents[2]
PARSERS, TESTS = ROOT / "parsers", ROOT / "tests/parsers"
WHOLE = (
    *("aws_event_stream", "decode", "files", "grpc_web", "http1", "http2", "http3"),
    *("json_lines", "multipart", "net", "proxy_protocol", "quic", "socks", "sse", "tls", "top"),
    "websocket",
)
"""Folders of which nothing is left out."""
APART = "decode"
"""The folder whose tests take as long as all the others': a process of its own runs them beside."""
TOP = "top"
"""The modules of ``parsers/`` that are in no folder, and their tests."""
GATHERED = ("kinds", "faults", "codings")
"""Folders of which ``records``, ``diagnostics`` and ``content`` are the face: the same tests."""
MARKS = "not hypothesis and not slow"
DEAR = (
    *("that_tshark_shows", "a_packet_cut_anywhere", "every_limit_is", "every_fault_is_provoked"),
    *("loads_nothing_that_lies_above", "each_choice_is_what_it_leaves", "zstd_frame_headers"),
    *("longest_start_line_is_found", "many_of_them_in_one_piece", "(test_content and bomb_is_cut)"),
    *("new_segments", "does_not_grow_with_a_stream", "in_a_record_layer_is_the_same"),
    *("in_whatever_segments_it_comes", "that_is_let_go_is_named", "when_it_may_mean_something"),
    *("a_client_that_reads", "a_client_that_does_not_read", "lost_late_or_sent_twice"),
    *("(test_fast_http1 and unusual_messages)", "(test_fast_paths and stored_captures)"),
)
"""What of their tests takes seconds, and nothing that others do not take."""
NOT_RUN = ("if TYPE_CHECKING:", "@overload", r"^\s*\.\.\.$", "raise AssertionError", "assert_never")


class Owner:
    """Tells coverage whose test comes."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self._owner = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        owner = TOP if item.path.parent == TESTS else item.path.relative_to(TESTS).parts[0]
        if owner != self._owner:  # each time all that was found is stored
            self._owner = owner
            self._coverage.switch_context(owner)


def folders() -> list[str]:
    """Return the folders of decoders that have tests of their own."""
    named = (path.parent.name for path in PARSERS.glob("*/__init__.py"))
    return [TOP, *sorted(name for name in named if (TESTS / name).is_dir())]


def main(names: Sequence[str]) -> int:
    """Run the tests, print what they leave out, and return the exit code."""
    os.chdir(ROOT)
    chosen = folders() if "all" in names else list(names or WHOLE)
    if APART not in chosen or len(chosen) == 1:
        return _measure(chosen)
    command = [sys.executable, __file__, APART]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as apart:
        code = _measure([name for name in chosen if name != APART])
        print(apart.communicate()[0], end="")
    return code or apart.returncode


def _measure(chosen: Sequence[str]) -> int:
    """Run the tests of some folders in this process."""
    coverage = Coverage(data_file=None, config_file=False, branch=True, include=["parsers/*"])
    for line in NOT_RUN:
        coverage.exclude(line)
    coverage.start()
    paths = [str(path) for name in chosen for path in _tests_of(name)]
    options = ["-q", "--no-header", "-p", "no:cacheprovider", "-m", MARKS]
    options += ["-k", " and ".join(f"not {name}" for name in DEAR)]
    code = pytest.main([*options, *paths], plugins=[Owner(coverage)])
    coverage.stop()
    whole = [_report(coverage, name) for name in chosen]
    return int(code) or int(min(whole) < 100)


def _tests_of(name: str) -> list[Path]:
    return sorted(TESTS.glob("test_*.py")) if name == TOP else [TESTS / name]


def _report(coverage: Coverage, name: str) -> float:
    """Print what the own tests of a folder leave out of it; return how many percent they take."""
    print(f"\nparsers/{name}")
    include = [f"parsers/{name}/*"]
    if name == TOP:
        include = ["parsers/*.py", *(f"parsers/{folder}/*" for folder in GATHERED)]
    return coverage.report(
        include=include, contexts=[f"^({name})?$"], show_missing=True,
        skip_covered=True, ignore_errors=True,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
