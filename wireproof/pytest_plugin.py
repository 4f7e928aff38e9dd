"""The pytest plugin: the fixture ``wire``, its options, and what a failed test's report says.

Strategy: pytest imports this in every run, so it imports nothing of ours before a test asks for
``wire``. Where servers run is found out once for each process, with the first test that asks.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from functools import cache
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import pluggy

    from .testing.environments import Place
    from .testing.wire import Wire

BACKENDS = ("auto", "packet-socket", "namespace", "relay")
KEEP = ("failed", "all", "none")

FAILED = pytest.StashKey[bool]()
WIRE = pytest.StashKey["Wire"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("wireproof", "what was on the wire (wireproof)")
    group.addoption(
        "--wire-backend",
        choices=BACKENDS,
        default="auto",
        help="how the fixture wire records: by a packet socket, in a network namespace, or through"
        " a relay; by default the first that is permitted",
    )
    group.addoption(
        "--wire-keep",
        choices=KEEP,
        default="failed",
        help="whose captures are kept in .wireproof/: those of failed tests by default",
    )
    group.addoption(
        "--wire-update",
        action="store_true",
        help="write the stored transcripts of wire.assert_matches anew where they differ",
    )


@pytest.fixture
def wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    """Serve an app, record its packets, and assert what was on the wire.

    with wire.serve("myapp:app") as server:
        httpx.get(server.url + "/chat")
    wire.exchange("/chat").assert_streamed(min_events=5)
    """
    from .testing.wire import Wire

    config, item = request.config, request.node
    backend: str = config.getoption("--wire-backend")
    found = Wire(
        config.rootpath,
        request.path,
        item.nodeid,
        lambda: _place(backend),
        update=config.getoption("--wire-update"),
        may_keep=config.getoption("--wire-keep") != "none",
    )
    item.stash[WIRE] = found
    try:
        yield found
    finally:
        del item.stash[WIRE]
        keep: str = config.getoption("--wire-keep")
        found.close(keep=keep == "all" or (keep == "failed" and item.stash.get(FAILED, False)))


# The kind of wrapper that pluggy had before 1.2 too.
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pluggy.Result[pytest.TestReport], None]:
    """Note whether a test failed, and tell what was on the wire."""
    report = (yield).get_result()
    if report.failed:
        item.stash[FAILED] = True
        if found := item.stash.get(WIRE, None):
            report.sections.append(("wire", found.report()))


def pytest_unconfigure() -> None:
    """Leave nothing: a namespace, if there was one."""
    if _place.cache_info().currsize:
        for backend in BACKENDS:
            if backend in _made:
                _made.pop(backend).close()
        _place.cache_clear()


_made: dict[str, Place] = {}


@cache
def _place(backend: str) -> Place:
    from .testing.environments import choose

    _made[backend] = choose(backend)
    return _made[backend]
