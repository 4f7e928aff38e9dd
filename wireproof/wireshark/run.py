"""Run tshark on a capture, within bounds.

Strategy: tshark's output is read as a stream while it runs. The capture is named by its absolute
path, which no option begins like, and no shell is asked. A clock ends a tshark that takes too
long, the kernel one that takes too much memory. The user's own profile is left out: colours,
preferences and disabled protocols would change what is compared.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from threading import Event, Timer
from typing import BinaryIO, cast

from .locate import Tshark

MAX_SECONDS = 1800
"""How long one pass may take: 4.0 needs 45 µs a packet in long streams, and twice as much in
streams twice as long; a pass of 10 million packets is past it."""

MAX_MEMORY = 8 << 30
"""Bytes of address space of one pass: tshark keeps the state of all connections, about 10 times
the capture, and reserves 1 GiB before it reads anything."""

OPTIONS = ("-n", "-o", "tcp.reassemble_out_of_order:TRUE")
"""Without the second, one swapped pair of segments costs the rest of the direction."""

NOISE = re.compile(r"^Running as user|^$|^\s*\*\* \(tshark")
ENDS_EARLY = re.compile(
    r"cut short|damaged or corrupt|bigger than maximum|File has \d+-byte packet"
)
"""What tshark says of a capture that ends inside a packet, or cannot be read from there on: it has
shown all before it."""


class TsharkFailed(Exception):
    """tshark ended without an answer; the message says how."""


@contextmanager
def run_tshark(tshark: Tshark, capture: Path, arguments: Sequence[str]) -> Iterator[BinaryIO]:
    """Give tshark's standard output while it reads ``capture``; raise TsharkFailed at its end."""
    command = [tshark.path, *OPTIONS, "-r", str(capture.resolve()), *arguments]
    with run_command(command) as output:
        yield output


@contextmanager
def run_command(
    command: Sequence[str], *, seconds: float = MAX_SECONDS, memory: int = MAX_MEMORY
) -> Iterator[BinaryIO]:
    """Give the standard output of a command that runs tshark, within bounds; raise TsharkFailed
    if it does not end well.

    A capture that is cut short or damaged is no failure: our decoder says so itself.
    """
    with TemporaryDirectory(prefix="wireproof-") as profile, TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, "WIRESHARK_CONFIG_DIR": profile, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        )
        output = cast(BinaryIO, process.stdout)
        _limit(process.pid, memory)
        is_late = Event()
        clock = Timer(seconds, _end, (process, is_late))
        clock.start()
        try:
            yield output
        except BaseException:
            process.kill()
            raise
        finally:
            output.close()
            process.wait()
            clock.cancel()
        errors.seek(0)
        said = errors.read().decode(errors="replace")
    if is_late.is_set():
        raise TsharkFailed(f"tshark was ended after {seconds:g} s without an answer")
    _check(process.returncode, said)


def _end(process: subprocess.Popen[bytes], is_late: Event) -> None:
    is_late.set()
    process.kill()


def _limit(pid: int, memory: int) -> None:
    """Bound the memory of a process that has started; only Linux can."""
    if sys.platform != "linux":
        return
    import resource  # not on Windows

    with suppress(ProcessLookupError):  # it has ended already
        resource.prlimit(pid, resource.RLIMIT_AS, (memory, memory))


def _check(code: int, said: str) -> None:
    if code == 0 or (code == 2 and ENDS_EARLY.search(said)):
        return
    lines = [line.strip() for line in said.splitlines() if not NOISE.search(line)]
    why = lines[-1] if lines else "it said nothing"
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    raise TsharkFailed(f"tshark ended with {how}: {why}")
