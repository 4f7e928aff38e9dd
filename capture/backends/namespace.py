"""The kernel's packets in a private network namespace, in which the command runs.

Strategy: the recorder stays here and records there (``..namespace``). A server that listens on
the port outside, where the command would look for it, is made to be found inside by a
forwarder. Then the packets that are recorded are those of the forwarder: their borders are its
reads, and the file says so as of a relay.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from .base import Backend, Session, Wanted, elsewhere

ALONE = (
    "COMMAND runs in a private network and can reach nothing outside it{but};"
    " --backend relay runs it here"
)


class InNamespace(Backend):
    name = "namespace"
    summary = "the kernel's packets, in a private network for COMMAND"

    def lacks(self) -> str | None:
        if lacking := elsewhere("only Linux has network namespaces"):
            return lacking
        from ..linux.namespace import Namespace

        return Namespace.available()

    def refuses(self, wanted: Wanted) -> str | None:
        if not wanted.has_command:
            return "needs a COMMAND to run in a private network"
        if wanted.more_ports:
            return "forwards only one port"
        return super().refuses(wanted)

    @contextmanager
    def open(self, wanted: Wanted) -> Iterator[Session]:
        from ..linux.listening import is_listening
        from ..linux.namespace import Namespace
        from ..linux.recorder import Recorder

        with ExitStack() as stack:
            namespace = stack.enter_context(Namespace())
            is_outside = is_listening(wanted.port)
            recorder = Recorder(
                wanted.path,
                **wanted.about,
                make_socket=namespace.socket,
                relayed=is_outside,
                buffer_size=wanted.buffer_size,
            )
            stack.enter_context(recorder)
            but = ""
            if is_outside:
                stack.enter_context(namespace.forward_in(wanted.port))
                but = f" except port {wanted.port}, whose packets are a relay's"
            yield Session(recorder, namespace.popen, notes=(ALONE.format(but=but),))
