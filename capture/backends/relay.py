"""A relay, for where nothing else is permitted: packets are made of what it reads.

Strategy: the command is not told of the relay. Its connections to the port are redirected to it
(``..linux.redirect``), whatever program it is, so that what it sends is what it would have sent.
Where that cannot be, and without a command, whoever shall be recorded has to connect to the
relay's own port.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from ..relay.forwarder import listener
from ..relay.recorder import Relay
from .base import Backend, Session, Wanted, elsewhere

VARIABLE = "WIREPROOF_RELAY"
"""In the command's environment: where the relay listens."""


class ByRelay(Backend):
    name = "relay"
    summary = "bytes and times of forwarded connections; packet boundaries are the relay's reads"

    def lacks(self) -> str | None:
        try:
            listener().close()
        except OSError as error:
            return f"cannot listen on any port: {error.strerror}"
        return None

    def refuses(self, wanted: Wanted) -> str | None:
        return "forwards only one port" if wanted.more_ports else super().refuses(wanted)

    @contextmanager
    def open(self, wanted: Wanted) -> Iterator[Session]:
        with ExitStack() as stack:
            relay = stack.enter_context(Relay(wanted.path, **wanted.about))
            address = f"127.0.0.1:{relay.port}"
            environment = {VARIABLE: address}
            if not wanted.has_command:
                note = f"connect to {address}, which forwards to port {wanted.port}"
                yield Session(relay, notes=(note,))
            elif lacking := lacks_redirection():
                note = f"to be recorded, COMMAND must connect to {address} (${VARIABLE}): {lacking}"
                yield Session(relay, environment=environment, notes=(note,))
            else:
                from ..linux.redirect import Redirect

                redirect = stack.enter_context(Redirect(wanted.port, relay.port))
                note = f"connections of COMMAND to port {wanted.port} go through {address}"
                yield Session(relay, redirect.popen, environment, (note,))


def lacks_redirection() -> str | None:
    """Try whether a command can be sent to the relay unawares; return None, or why it cannot."""
    if lacking := elsewhere("only Linux has a way to redirect a command's connections"):
        return lacking
    from ..linux.redirect import Redirect

    return Redirect.available()
