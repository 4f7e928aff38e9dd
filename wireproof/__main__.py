"""``wireproof`` and ``python -m wireproof``: how the process of a command begins and ends.

What a command has loaded and made is not taken apart at its end, one by one: that takes a sixth of
a small decode, and the kernel does it anyway.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import NoReturn

from .collector import collect_rarely


def main() -> NoReturn:
    """Run the command line and exit with its code, at once: nothing is taken apart before.

    What others have asked to be called at the end is called, and threads that run are waited for.
    """
    code = run()
    if _is_last_thread():
        atexit._run_exitfuncs()
        _flush()
        os._exit(code)
    sys.exit(code)


def run() -> int:
    """Run the command line, and return its code."""
    collect_rarely()
    from .cli import main as command  # with all that it loads

    try:
        command()
    except SystemExit as done:
        if isinstance(done.code, int):
            return done.code
        raise
    finally:
        gc.freeze()  # the process ends: nothing of it is looked through once more


def _is_last_thread() -> bool:
    """Whether no other thread runs that the interpreter would wait for."""
    threading = sys.modules.get("threading")
    return threading is None or threading.active_count() == 1


def _flush() -> None:
    """Write what standard streams still hold; what cannot be written has been told before."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except (OSError, ValueError):
                continue


if __name__ == "__main__":
    sys.exit(run())
