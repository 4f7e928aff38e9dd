"""What every test goes by: what a test needs, it gets, or its skip names what is lacking.

Where ``CI=true`` everything must be at hand: there, what is lacking fails.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
from collections.abc import Iterator
from functools import cache

import pytest
from hypothesis import HealthCheck, settings
from support.produced import Produced

from capture import Namespace, can_capture
from capture.linux.redirect import Redirect

# A machine that does something else is slow, and no example is wrong for that.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")
pytest_plugins = ["pytester"]
collect_ignore = ["samples"]  # projects of their own, which tests/test_wheel.py runs


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Produced(config))
    # A shell that runs pytest in the background lets it, and all it starts, ignore Ctrl-C, which
    # some tests send to what they start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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
        if shutil.which(marker.args[0]) is None:
            _lack(f"{marker.args[0]} is not installed")
    if item.get_closest_marker("tshark") and shutil.which("tshark") is None:
        _lack("tshark is not installed")
    if item.get_closest_marker("browser") and shutil.which("chromium") is None:
        _lack("chromium is not installed")


@cache
def _no_namespaces() -> str | None:
    return Namespace.available()


@cache
def _no_redirects() -> str | None:
    return Redirect.available()


def _lack(what: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}, and CI must not skip", pytrace=False)
    pytest.skip(what)
