"""A relay and its ways: what comes out of each for what went in, and when."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest

from server.causes.relay import (
    Cut,
    HandOn,
    Relay,
    at_once,
    batches,
    cut_after,
    every,
    later,
    looking_ahead,
    renumbered,
    replaced,
    serve_relay,
    standing_still,
    swapped,
    without,
)

STEP = 0.03
"""Seconds between two pieces of the app."""


async def pieces(number: int) -> AsyncIterator[bytes]:
    for one in range(number):
        if one:
            await asyncio.sleep(STEP)
        yield b"%d" % one


async def handed_on(way: HandOn, number: int = 5) -> list[tuple[bytes, float]]:
    began = time.monotonic()
    return [(piece, time.monotonic() - began) async for piece in way(pieces(number))]


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        (at_once, [b"0", b"1", b"2", b"3", b"4"]),
        (every(10 * STEP), [b"01234"]),
        (batches(2), [b"01", b"23", b"4"]),
        (batches(5), [b"01234"]),
        (looking_ahead, [b"0", b"1", b"2", b"3", b"4"]),
        (later(STEP), [b"0", b"1", b"2", b"3", b"4"]),
        (standing_still(2, STEP), [b"0", b"1", b"2", b"3", b"4"]),
        (without(0), [b"1", b"2", b"3", b"4"]),
        (without(2), [b"0", b"1", b"3", b"4"]),
        (without(-1), [b"0", b"1", b"2", b"3"]),
        (replaced(1, lambda one: [one, one]), [b"0", b"1", b"1", b"2", b"3", b"4"]),
        (replaced(4, lambda _: []), [b"0", b"1", b"2", b"3"]),
        (swapped(1), [b"0", b"2", b"1", b"3", b"4"]),
    ],
)
def test_what_is_handed_on(way: HandOn, expected: list[bytes]) -> None:
    assert [piece for piece, _ in asyncio.run(handed_on(way))] == expected


def test_nothing_is_handed_on_too_soon() -> None:
    """How late is the machine's affair; too soon would be ours."""
    assert all(at >= 2 * STEP for _, at in asyncio.run(handed_on(every(2 * STEP))))
    for at, (_, seconds) in enumerate(asyncio.run(handed_on(later(2 * STEP)))):
        assert seconds >= (at + 2) * STEP - 0.001
    for at, (_, seconds) in enumerate(asyncio.run(handed_on(looking_ahead))[:-1]):
        assert seconds >= (at + 1) * STEP - 0.001
    after = asyncio.run(handed_on(standing_still(2, 3 * STEP)))[2:]
    assert all(seconds >= 4 * STEP - 0.001 for _, seconds in after)


def test_events_get_ids_of_the_relay_s_own() -> None:
    async def collect() -> list[bytes]:
        async def events() -> AsyncIterator[bytes]:
            yield b"id: 0\ndata: a\n\n"
            yield b"id: 1\ndata: b\n\n"

        return [piece async for piece in renumbered(events())]

    assert asyncio.run(collect()) == [b"id: 1000\ndata: a\n\n", b"id: 1001\ndata: b\n\n"]


def test_who_gives_up_hands_on_no_more() -> None:
    async def collect() -> list[bytes]:
        found = []
        with pytest.raises(Cut):
            async for piece in cut_after(2)(pieces(5)):
                found.append(piece)  # noqa: PERF401  # what came before the end counts
        return found

    assert asyncio.run(collect()) == [b"0", b"1"]


async def answer_through(relay: Relay) -> bytes:
    """What a client reads of an app's answer in three chunks, the first 30 ms after the head."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (b"one", b"two", b"three"):
            await asyncio.sleep(STEP)
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        writer.write(b"0\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    app, front = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
    port = front.getsockname()[1]
    async with (
        await asyncio.start_server(answer, sock=app),
        await serve_relay(front, app.getsockname()[1], relay),
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        read = await reader.read(-1)
        writer.close()
        await writer.wait_closed()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)  # who was cut off may be told so
    return read


HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("relay", "body"),
    [
        (Relay(at_once), b"3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n"),
        (Relay(at_once, holds_head=True), b"3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n"),
        (Relay(batches(3)), b"b\r\nonetwothree\r\n0\r\n\r\n"),
        (Relay(cut_after(2)), b"3\r\none\r\n3\r\ntwo\r\n"),
    ],
)
def test_answers_come_through(relay: Relay, body: bytes) -> None:
    assert asyncio.run(answer_through(relay)) == HEAD + body
