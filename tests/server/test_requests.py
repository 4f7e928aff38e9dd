from __future__ import annotations

from types import SimpleNamespace

import httpx
import pytest
from starlette.requests import HTTPConnection

from server.address import Address
from server.requests import settings_of
from server.settings import Settings


def test_settings_of() -> None:
    settings = Settings(delay=7)
    app = SimpleNamespace(state=SimpleNamespace(settings=settings))
    assert settings_of(HTTPConnection({"type": "http", "app": app})) is settings


@pytest.mark.parametrize("path", ["/stream", "/sse", "/sse/fastapi", "/stream/slow"])
@pytest.mark.parametrize("delay", ["-1", "60.1", "nan", "inf", "soon"])
def test_a_delay_out_of_bounds_is_refused(address: Address, path: str, delay: str) -> None:
    response = httpx.get(address.origin() + path, params={"delay": delay})
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["query", "delay"]


@pytest.mark.parametrize("path", ["/stream/slow", "/sse/slow"])
def test_a_stall_out_of_bounds_is_refused(address: Address, path: str) -> None:
    assert httpx.get(address.origin() + path, params={"stall": "61"}).status_code == 422
