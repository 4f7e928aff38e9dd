"""``wireproof`` and ``python -m wireproof``: how the process of a command begins and ends.

Modules are loaded and records made by the thousand, and hardly any of it is ever garbage: to look
for cycles while a command starts takes a sixth of a small decode, and so does taking all of it
apart at the end, one by one, when the kernel does that anyway.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import NoReturn

GC_THRESHOLD = 50_000
"""New objects after which cycles are looked for; Python's own choice is 700."""


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
    gc.set_threshold(GC_THRESHOLD)
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
