"""Every fast path by name: each gives what the layers that it passes by give, proved by one test.

Besides these there are loops inside one layer, which that layer's tests hold, and the path of usual
packets (:mod:`.packets`), which all captures are decoded with and without.
"""

from __future__ import annotations

from collections.abc import Mapping

from .fast_http1 import FastRequests, FastResponses
from .fast_http2 import FastHttp2
from .fast_sse import FastSse
from .fast_websocket import FastWebSocket
from .side import FastPath

FAST_PATHS: Mapping[str, type[FastPath]] = {
    "requests": FastRequests, "responses": FastResponses, "sse": FastSse,
    "websocket": FastWebSocket, "http2": FastHttp2,
}  # fmt: skip
