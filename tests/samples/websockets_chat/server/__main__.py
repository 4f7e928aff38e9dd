"""``python -m server PORT``: answers words one by one, and pings."""

from __future__ import annotations

import asyncio
import sys

from parsers.message import words
from websockets.asyncio.server import ServerConnection, serve

PAUSE = 0.02


async def converse(connection: ServerConnection) -> None:
    async for message in connection:
        if message == "enough":
            await connection.close(4000, "as you wish")
            return
        for word in words(message):
            await asyncio.sleep(PAUSE)
            await connection.send(word)


async def main(port: int) -> None:
    async with serve(converse, "127.0.0.1", port, ping_interval=0.05, ping_timeout=5) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
