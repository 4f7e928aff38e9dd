"""What a command comes to: one exit code, and one line for whatever a user can cause.

Nothing is loaded for it that a command which does what it is told has no use for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from .ending import INTERRUPTED, UNREAD
from .output import give_up_standard_output


def exit_code(command: Callable[[], int | None]) -> int:
    """Run a command and return its exit code."""
    try:
        code = command()
        sys.stdout.flush()
    except BrokenPipeError:
        give_up_standard_output()
        return UNREAD
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  # what is not a user's is raised again
        from .commands.exits import say_why

        return say_why(error)
    return code or 0
