"""What workers leave for their parent to read."""

from __future__ import annotations

import os

import pytest

from wireproof.tasks.feeds import AHEAD
from wireproof.tasks.slots import SLOT, SLOTS, Slots

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


def test_another_process_finds_what_was_put() -> None:
    slots = Slots()
    child = os.fork()
    if not child:
        os._exit(not (slots.put(0, b"first") and slots.put(SLOTS + 3, b"x" * SLOT)))
    _, status = os.waitpid(child, 0)
    assert not status
    assert slots.look(0, 5) == b"first"
    assert slots.look(3, SLOT) == b"x" * SLOT


def test_every_batch_that_may_wait_has_a_slot() -> None:
    slots = Slots()
    said = [b"%d" % batch for batch in range(AHEAD + 1)]
    assert all(slots.put(batch, data) for batch, data in enumerate(said))
    assert [slots.look(batch, len(data)) for batch, data in enumerate(said)] == said


def test_what_is_too_long_goes_another_way() -> None:
    assert not Slots().put(0, bytes(SLOT + 1))
