"""What ``wireproof``'s pytest plugin is made of: serve, record, decode, assert.

Tests get all of it from the fixture ``wire`` (:class:`~.wire.Wire`). Linux only, as recording is.
"""

from __future__ import annotations

from .captures import Capture
from .exchange import Exchange
from .faults import WireFailure
from .servers import Server, ServerDidNotStart
from .wire import Wire

__all__ = ["Capture", "Exchange", "Server", "ServerDidNotStart", "Wire", "WireFailure"]
