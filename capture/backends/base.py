"""What a way to record is: what it can be asked for, whether it works, and what it gives.

Strategy: a backend is tried for real before it is chosen, and says in one line why it does not
work and what would change that. What it opens is a recording that is on, and how to start a
command so that it is recorded.
"""

from __future__ import annotations

import subprocess
import sys
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from ..frames import BUFFER_SIZE
from ..output import Limits, TakeSecrets
from ..processes import Popen
from ..recording import Recording

LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"
"""The name of loopback; on Windows it is Npcap's adapter that is meant by it."""


def elsewhere(reason: str) -> str | None:
    """Return ``reason`` and what records instead, None on Linux."""
    return None if sys.platform == "linux" else f"{reason}; here, use scapy or relay"


@dataclass(frozen=True)
class Wanted:
    """What shall be recorded."""

    path: Path
    port: int
    interface: str = LOOPBACK
    more_ports: tuple[int, ...] = ()
    """Others that are recorded too."""
    has_command: bool = False
    """Whether a command is run meanwhile."""
    comment: str = ""
    version: str = ""
    buffer_size: int = BUFFER_SIZE
    """Room for packets that wait to be written, in bytes."""
    limits: Limits = Limits()
    stream: BinaryIO | None = None
    """What gets the recording instead of a file at ``path``; it is closed at the end."""
    secrets: TakeSecrets = bytes
    """Returns what is new of a key log, for the recording to hold."""

    @property
    def ports(self) -> str:
        """All ports, in words."""
        return ", ".join(map(str, (self.port, *self.more_ports)))

    @property
    def about(self) -> dict[str, Any]:
        """What every recording is told alike."""
        return {
            "port": (self.port, *self.more_ports) if self.more_ports else self.port,
            "comment": self.comment,
            "version": self.version,
            "limits": self.limits,
            "stream": self.stream,
            "secrets": self.secrets,
        }


@dataclass(frozen=True)
class Session:
    """A recording that is on."""

    recording: Recording
    popen: Popen = subprocess.Popen
    """Starts a command so that what it sends is recorded."""
    environment: dict[str, str] = field(default_factory=dict)
    """What the command is told."""
    notes: tuple[str, ...] = ()
    """What a user has to know of this recording, a line each."""


class Backend(ABC):
    """A way to record."""

    name: ClassVar[str]
    summary: ClassVar[str]
    """What is recorded, and how."""

    @abstractmethod
    def lacks(self) -> str | None:
        """Try it; return None if it works here, or what is lacking and what would give it."""

    def refuses(self, wanted: Wanted) -> str | None:
        """Return why this cannot be recorded in this way, though it works; None if it can."""
        if wanted.interface != LOOPBACK:
            return f"records {LOOPBACK} alone, not {wanted.interface}"
        return None

    @abstractmethod
    def open(self, wanted: Wanted) -> AbstractContextManager[Session]:
        """Record while the context is entered; raises what its recording raises."""
