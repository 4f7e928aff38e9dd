"""What every test goes by: what a test needs, it gets, or its skip names what is lacking.

Where ``CI=true`` everything must be at hand: there, what is lacking fails.
"""

from __future__ import annotations

import gc
import os
import re
import shutil
import signal
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpcore  # noqa: F401 - else a test of pytest's would load it, and take it away again
import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings
from hypothesis.database import DirectoryBasedExampleDatabase
from support.produced import Produced

from capture import Namespace, can_capture
from capture.linux.redirect import Redirect
from server.causes.proxies import find

SETGID_AND_SETUID = 1 << 6 | 1 << 7
"""Bits of linux/capability.h, as /proc/self/status has them."""
# `make test` draws the same examples on every machine: what passed here passes there. `make fuzz`
# sets WIREPROOF_EXAMPLES: so many times as many examples, new ones each time, and those that failed
# again first. A busy machine is slow, and no example is wrong for that.
EXAMPLES = int(os.environ.get("WIREPROOF_EXAMPLES", "0"))
settings.register_profile(
    "test",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
    database=None,
)
settings.register_profile(
    "fuzz",
    settings.get_profile("test"),
    derandomize=False,
    database=DirectoryBasedExampleDatabase(Path(".hypothesis") / "examples"),
    print_blob=True,
)
settings.load_profile("fuzz" if EXAMPLES else "test")
pytest_plugins = ["pytester"]
collect_ignore = ["guests", "samples"]  # projects of their own, which others run: see there


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Produced(config))
    gc.disable()  # nothing that is collected now goes before the tests begin
    # Nobody outside is asked, nor trusted: a client that reads what else it trusts, as each of
    # httpx's does, takes 30 ms to start.
    os.environ["SSL_CERT_DIR"] = str(Path(__file__).parent / "no-certificates")
    # How wide the terminal of whoever runs the tests is. GNU readline says so to all children, and
    # so to xdist's workers, wherever Python is built with it, as Debian's is.
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    # A shell that runs pytest in the background lets it, and all it starts, ignore Ctrl-C, and
    # nohup(1) lets it ignore a terminal that goes: some tests send both to what they start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_xdist_auto_num_workers() -> int:
    """Two workers a core: a third of the time, tests wait for servers, browsers and timers."""
    return 2 * len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 4


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    _slow_ones_first(items)
    for item in items:
        if _is_marked(item, DRAWN):
            # A browser draws when it comes to it: what fails must fail twice, and is counted.
            item.add_marker(pytest.mark.flaky(reruns=1))
    if EXAMPLES:
        for test in {item.obj for item in items if isinstance(item, pytest.Function)}:
            if is_hypothesis_test(test):
                _draw_more(test)


DRAWN = frozenset(("browser", "firefox"))
LONG = DRAWN | {"slow", "tshark", "tool", "packets", "namespaces", "redirects"}
"""Marks of tests that take seconds, or start what does."""


def _slow_ones_first(items: list[pytest.Item]) -> None:
    """Put what takes seconds before what does not in the share that each worker begins with, so
    that in the end, when workers wait for the last one, none has a long test to do."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    slow, quick = [], []
    for item in items:
        (slow if _is_marked(item, LONG) else quick).append(item)
    items[:] = [
        item
        for worker in range(workers)
        for part in (slow, quick)
        for item in part[len(part) * worker // workers : len(part) * (worker + 1) // workers]
    ]


def _is_marked(item: pytest.Item, names: frozenset[str]) -> bool:
    """Whether a test has one of these marks; asked once of each test by each worker."""
    return any(mark.name in names for mark in item.iter_markers())


def _draw_more(test: Any) -> None:
    """Multiply a test's examples; what a test says of itself goes before any profile."""
    own = test._hypothesis_internal_use_settings
    test._hypothesis_internal_use_settings = settings(own, max_examples=own.max_examples * EXAMPLES)


def pytest_collection_finish() -> None:
    """Have the collector look at what tests make, not at all of them each time."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True, scope="module")
def _collected() -> Iterator[None]:
    """What the tests of a module leave open is found in that module, in every run; else it is
    found when the collector comes by, in whatever test runs by then."""
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    """The command line lets the collector look less often, which others' memory would tell."""
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("packets") and not can_capture():
        _lack("this process may not open a packet socket: run as root or grant cap_net_raw")
    if item.get_closest_marker("namespaces") and (reason := _no_namespaces()):
        _lack(reason)
    if item.get_closest_marker("redirects") and (reason := _no_redirects()):
        _lack(reason)
    for marker in item.iter_markers("tool"):
        if find(marker.args[0]) is None:
            _lack(f"{marker.args[0]} is not installed")
        if marker.args[0] == "tcpdump" and not _can_give_up_root():
            _lack("tcpdump gives root up, which takes cap_setuid and cap_setgid")
    if item.get_closest_marker("tshark") and shutil.which("tshark") is None:
        _lack("tshark is not installed")
    if item.get_closest_marker("browser") and shutil.which("chromium") is None:
        _lack("chromium is not installed")
    if item.get_closest_marker("firefox") and not _has_firefox():
        _lack("firefox is not installed")


def _has_firefox() -> bool:
    return any(map(shutil.which, ("firefox-esr", "firefox")))


@cache
def _no_namespaces() -> str | None:
    return Namespace.available()


@cache
def _can_give_up_root() -> bool:
    """Whether this process is another user, or has what setuid(2) and setgroups(2) take."""
    if os.geteuid():
        return True
    (effective,) = re.findall(r"CapEff:\s*(\w+)", Path("/proc/self/status").read_text())
    return int(effective, 16) & SETGID_AND_SETUID == SETGID_AND_SETUID


@cache
def _no_redirects() -> str | None:
    return Redirect.available()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where a test skips itself for what can be installed, CI does not let it pass either."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if reason.endswith("is not installed"):
            report.outcome, report.longrepr = "failed", f"{reason}, and CI must not skip"
    return report


def _lack(what: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}, and CI must not skip", pytrace=False)
    pytest.skip(what)
