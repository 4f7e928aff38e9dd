"""A demo server worth pointing tools at.

It streams the same few messages over three transports, as FastAPI does under uvicorn, and shows
in a set of named scenarios what real servers do besides: bursts, stalls, compression, streams
cut short. What each must deliver is in :data:`SCENARIOS`; the server knows nothing of who
records it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .address import Address
from .content import SseEvent
from .process import DemoServer, ServerStartError
from .scenarios import SCENARIOS, Close, Message, Scenario, scenario
from .settings import DEFAULT_PORT, Settings

if TYPE_CHECKING:
    from .app import create_app
    from .service import Service, serve

__all__ = [
    "DEFAULT_PORT",
    "SCENARIOS",
    "Address",
    "Close",
    "DemoServer",
    "Message",
    "Scenario",
    "ServerStartError",
    "Service",
    "Settings",
    "SseEvent",
    "create_app",
    "scenario",
    "serve",
]

_NEEDS_FASTAPI = {"create_app": "app", "Service": "service", "serve": "service"}


def __getattr__(name: str) -> Any:
    """Import FastAPI only for who serves: it takes longer than all else here together."""
    from importlib import import_module

    if name in _NEEDS_FASTAPI:
        return getattr(import_module(f".{_NEEDS_FASTAPI[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
