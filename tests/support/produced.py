"""Which diagnostics a run of the tests produced: after the whole suite, all there are.

That a test names a code shows that somebody thought of it, not that a decoder ever says it. So
every diagnostic that is made is noted, in each process, and what is missing in the end fails the
run. A run of some of the tests is not judged.
"""

from __future__ import annotations

import sys
from typing import Any

import pytest

from parsers import diagnostics
from parsers.diagnostics import Fault, diagnose


class NotedFaults(dict[str, Fault]):
    """The registry, which notes what a diagnostic is made from."""

    def __init__(self, faults: dict[str, Fault]) -> None:
        super().__init__(faults)
        self.asked: set[str] = set()

    def __getitem__(self, code: str) -> Fault:
        found = super().__getitem__(code)
        if sys._getframe(1).f_code is diagnose.__code__:
            self.asked.add(code)
        return found


class Produced:
    """The plugin: a worker of pytest-xdist hands over what it noted."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._faults = NotedFaults(diagnostics.FAULTS)
        diagnostics.FAULTS = self._faults

    @property
    def _is_whole(self) -> bool:
        chosen = [self._config.getoption(name) for name in ("keyword", "markexpr", "deselect")]
        by_default = self._config.args_source is pytest.Config.ArgsSource.TESTPATHS
        return by_default and not any(chosen)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self._faults.asked |= set(node.workeroutput.get("produced", ()))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput["produced"] = sorted(self._faults.asked)
        elif self._is_whole and session.exitstatus == pytest.ExitCode.OK and self._missing:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @property
    def _missing(self) -> list[str]:
        return sorted(self._faults.keys() - self._faults.asked)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._is_whole and self._missing:
            terminalreporter.section("diagnostics that no test produced", red=True)
            terminalreporter.write_line(", ".join(self._missing))
