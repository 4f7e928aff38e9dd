"""A network of one's own for a while: interfaces, addresses and routes that nobody else has.

Strategy: a network namespace (network_namespaces(7)) belongs to a thread, and what that thread
starts begins in it. So this thread moves into a new one and comes back; what was made in there
the kernel takes away when the last process in it has ended, however that ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import CaptureNotPermitted
from .spawn_child import CLONE_NEWNET, Refused, bring_loopback_up, call

OURS = Path("/proc/thread-self/ns/net")


@contextmanager
def private_network() -> Iterator[None]:
    """Run what is within in a new network that has nothing but loopback.

    Raises CaptureNotPermitted, which says what was refused.
    """
    with OURS.open() as before:
        try:
            call("making a network of its own", "unshare", CLONE_NEWNET)
        except Refused as refusal:
            needs = "it needs root, or a user namespace (CAP_SYS_ADMIN)"
            raise CaptureNotPermitted(f"{refusal}: {needs}") from refusal
        try:
            bring_loopback_up()
            yield
        finally:
            call("leaving the network of its own", "setns", before.fileno(), CLONE_NEWNET)


def refusal() -> str | None:
    """Return why there can be no network of one's own here, None if there can."""
    try:
        with private_network():
            return None
    except (CaptureNotPermitted, Refused) as error:
        return str(error)
