"""What an error is called in the elements of streams, in whichever shape it comes.

APIs give a text, or an object with ``message`` beside a ``type``, ``code`` or ``status``.
"""

from __future__ import annotations

from typing import Any

from .decoding import written
from .payload import Payload


def error_payload(error: Any) -> Payload:
    """Return an error by its message and what it is called."""
    if not isinstance(error, dict):
        return Payload("error", "" if error is None else written(error))
    names = (error.get(key) for key in ("type", "status", "code"))
    name = next((written(one) for one in names if one not in (None, "")), "")
    message = error.get("message")
    return Payload("error", written(error if message is None else message), name)
