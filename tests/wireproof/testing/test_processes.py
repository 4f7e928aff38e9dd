"""A child of a test: what it says, and how it ends."""

from __future__ import annotations

import os
import sys

from wireproof.testing.processes import LOG_TAIL, Child

PATIENCE = 60.0


def child(script: str, **options: object) -> Child:
    return Child([sys.executable, "-c", script], environment=os.environ, **options)  # type: ignore[arg-type]


def test_what_it_says_is_kept_also_when_it_is_over() -> None:
    running = child("import sys; print('out'); print('err', file=sys.stderr)")
    assert running.wait(PATIENCE)
    assert running.exit_code == 0
    assert sorted(running.log.split()) == ["err", "out"]
    running.stop()
    running.stop()
    assert sorted(running.log.split()) == ["err", "out"]


def test_only_the_last_of_a_long_log_is_shown() -> None:
    running = child(f"print('x' * {LOG_TAIL * 2} + 'end')")
    assert running.wait(PATIENCE)
    assert len(running.log) < LOG_TAIL
    assert running.log.endswith("end")
    running.stop()


def test_it_has_no_input_and_the_environment_that_is_given() -> None:
    script = "import os, sys; print(repr(sys.stdin.read()), os.environ['GIVEN'])"
    running = Child([sys.executable, "-c", script], environment={**os.environ, "GIVEN": "here"})
    assert running.wait(PATIENCE)
    assert running.log == "'' here"
    running.stop()


def test_a_descriptor_is_waited_for_as_long_as_it_lives() -> None:
    reading, writing = os.pipe()
    try:
        running = child(f"import os; os.write({writing}, b'x')", keep_open=[writing])
        assert running.wait_readable(reading, PATIENCE)
        running.stop()
        os.read(reading, 1)
        over = child("pass")
        assert not over.wait_readable(reading, PATIENCE)
        over.stop()
        slow = child("import time; time.sleep(60)")
        assert not slow.wait_readable(reading, 0.0)
        assert slow.exit_code is None
        assert not slow.wait(0.0)
        slow.stop()
    finally:
        os.close(reading)
        os.close(writing)
