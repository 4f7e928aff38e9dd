"""A process beside the inspector's that opens a browser, and reads nothing but an address.

Strategy: it is started before rights are given up, since a browser needs all files of its user, and
connections. It waits for the address, opens it, and ends; without one it ends with whoever made it.
Root's browser is not root's: it belongs to who called sudo, else to nobody.
"""

from __future__ import annotations

import os
import sys
import webbrowser
from contextlib import suppress

from ..rights import leave_root


class Browser:
    """Opens an address once."""

    def __init__(self) -> None:
        """Start the process; elsewhere than on Linux nothing is given up, and there is none."""
        self._told: int | None = None
        if sys.platform == "linux":
            address, self._told = os.pipe()
            if not os.fork():
                _open_what_comes(address, self._told)
            os.close(address)

    def open(self, url: str) -> None:
        """Open an address; called a second time it does nothing."""
        if sys.platform != "linux":
            webbrowser.open(url)
        elif self._told is not None:
            with suppress(BrokenPipeError):  # somebody has ended it
                os.write(self._told, url.encode())
            self.close()

    def close(self) -> None:
        """Let the process end, if no address has come."""
        if self._told is not None:
            os.close(self._told)
            self._told = None


def _open_what_comes(address: int, told: int) -> None:
    """Be the process."""
    try:
        os.close(told)
        if url := os.read(address, 4_096).decode():
            leave_root()
            webbrowser.open(url)
    finally:
        os._exit(0)


def has_display() -> bool:
    """Return whether a browser would have a window, and not take the terminal."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
