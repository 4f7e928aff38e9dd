"""What a command is told when one of the processes that decode for it ends before its work."""

from __future__ import annotations

import os


class WorkerDied(Exception):
    """A worker ended before its work: the message says which, and how."""

    def __init__(self, number: int, status: int) -> None:
        if os.WIFSIGNALED(status):
            import signal

            ended = f"was killed by {signal.Signals(os.WTERMSIG(status)).name}"
            self.exit_code = 128 + os.WTERMSIG(status)
            """As a shell has it for a command that died so."""
        else:
            self.exit_code = os.WEXITSTATUS(status)
            ended = f"failed with exit code {self.exit_code}"
        self.source = ""
        """The capture that was its turn, where there are several."""
        super().__init__(f"worker {number} {ended}")
