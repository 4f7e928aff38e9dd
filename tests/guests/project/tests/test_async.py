"""The same from tests that are coroutines, by pytest-asyncio and by anyio."""

import httpx
import pytest
import websockets

WORDS = "one-two-three-four-five-six"


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.asyncio
async def test_a_websocket_by_pytest_asyncio(wire):
    async with wire.serve("app:app") as server, websockets.connect(server.ws_url + "/echo") as ws:
        await ws.send(WORDS)
        assert [await ws.recv() for _ in WORDS.split("-")] == WORDS.split("-")
        with pytest.raises(websockets.ConnectionClosed):
            await ws.recv()
    exchange = wire.exchange("/echo")
    exchange.assert_streamed(min_events=5)
    exchange.assert_closed(code=4000, by="server")


@pytest.mark.asyncio
async def test_events_by_pytest_asyncio(wire):
    async with wire.serve("app:app") as server, httpx.AsyncClient() as client:
        await client.get(server.url + "/chat", params={"prompt": WORDS})
    wire.exchange("/chat").assert_streamed(min_events=5)


@pytest.mark.anyio
async def test_lines_by_anyio(wire):
    async with wire.serve("app:app") as server, httpx.AsyncClient() as client:
        await client.get(server.url + "/lines", params={"prompt": WORDS})
    wire.exchange("/lines").assert_streamed(min_events=5)
