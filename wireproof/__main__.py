"""``wireproof`` and ``python -m wireproof``: the collector of cycles is told its place first.

Modules are loaded and records made by the thousand, and hardly any of it is ever garbage: to look
for cycles while a command starts, and once more when it ends, takes a sixth of a small decode.
"""

from __future__ import annotations

import gc
from typing import NoReturn

GC_THRESHOLD = 50_000
"""New objects after which cycles are looked for; Python's own choice is 700."""


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    gc.set_threshold(GC_THRESHOLD)
    from .cli import main as run  # with all that it loads

    try:
        run()
    finally:
        gc.freeze()  # the process ends: nothing of it is looked through once more


if __name__ == "__main__":
    main()
