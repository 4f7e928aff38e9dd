"""What the handlers ask of a request: ``?delay=`` and ``?stall=``, within their bounds."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Query
from starlette.requests import HTTPConnection

from .settings import MAX_DELAY, Settings


def settings_of(connection: HTTPConnection) -> Settings:
    """Return the settings that the app was made with."""
    return cast(Settings, connection.app.state.settings)


def _delay(
    connection: HTTPConnection, delay: Annotated[float | None, Query(ge=0, le=MAX_DELAY)] = None
) -> float:
    return settings_of(connection).delay if delay is None else delay


Delay = Annotated[float, Depends(_delay)]
"""Seconds before each message: ``?delay=``, else the setting."""

Stall = Annotated[float, Query(ge=0, le=MAX_DELAY)]
"""Seconds of silence in mid-stream: ``?stall=``."""
