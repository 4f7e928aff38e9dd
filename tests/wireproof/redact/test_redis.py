"""What Redis answers, by the commands that ask for it."""

from __future__ import annotations

import pytest
from support.talk import Talk

from wireproof.redact.frames import ANSWERS, FrameMasks
from wireproof.redact.redis import MAX_PENDING, MAX_PENDING_BYTES, RedisDialogue

SECRET = b"Zq7vLw9xKt3nPb5s"
OTHER = b"just a plain text"


def bulk(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(map(one, words))


def one(word: bytes) -> bytes:
    return b"$%d\r\n%s\r\n" % (len(word), word)


CASES = {
    "GET": (bulk(b"GET", b"session:1:token"), one(SECRET)),
    "get inline": (b"get api_key\r\n", one(SECRET)),
    "JSON.GET by its path": (bulk(b"JSON.GET", b"user:1", b"$.password"), one(SECRET)),
    "GETDEL": (bulk(b"GETDEL", b"otp:anna"), one(SECRET)),
    "MGET": (bulk(b"MGET", b"a", b"api_key", b"b"), bulk(OTHER, SECRET, OTHER)),
    "HGET by field": (bulk(b"HGET", b"user:1", b"password"), one(SECRET)),
    "HGET by key": (bulk(b"HGET", b"session:1", b"data"), one(SECRET)),
    "HMGET": (bulk(b"HMGET", b"user:1", b"name", b"token"), bulk(OTHER, SECRET)),
    "HGETALL": (bulk(b"HGETALL", b"user:1"), bulk(b"name", OTHER, b"api_key", SECRET)),
    "HGETALL of RESP3": (
        bulk(b"HGETALL", b"user:1"),
        b"%2\r\n" + one(b"name") + one(OTHER) + one(b"api_key") + one(SECRET),
    ),
    "HVALS": (bulk(b"HVALS", b"session:1"), bulk(SECRET)),
    "LRANGE": (bulk(b"LRANGE", b"refresh_tokens", b"0", b"-1"), bulk(SECRET)),
    "SMEMBERS": (bulk(b"SMEMBERS", b"api_keys"), b"~1\r\n" + one(SECRET)),
    "CONFIG": (bulk(b"CONFIG", b"GET", b"*"), bulk(b"port", b"6379", b"requirepass", SECRET)),
    "XRANGE": (
        bulk(b"XRANGE", b"log", b"-", b"+"),
        b"*1\r\n*2\r\n" + one(b"1-0") + bulk(b"event", OTHER, b"token", SECRET),
    ),
    "later in a pipeline": (
        bulk(b"SET", b"a", b"b") + bulk(b"GET", b"name") + bulk(b"GET", b"token"),
        b"+OK\r\n" + one(OTHER) + one(SECRET),
    ),
    "after what is pushed": (
        bulk(b"GET", b"token"),
        b">2\r\n+message\r\n" + one(OTHER) + one(SECRET),
    ),
    "in a transaction": (
        bulk(b"MULTI") + bulk(b"GET", b"name") + bulk(b"GET", b"token") + bulk(b"EXEC"),
        b"+OK\r\n+QUEUED\r\n+QUEUED\r\n" + bulk(OTHER, SECRET),
    ),
    "after replies of all types": (
        5 * bulk(b"PING") + bulk(b"GET", b"token"),
        b"$-1\r\n:12\r\n_\r\n#t\r\n,1.5\r\n=%d\r\n%s\r\n" % (len(SECRET), SECRET),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_reply_of_a_command_that_asks_for_a_secret(name: str) -> None:
    commands, replies = CASES[name]
    dialogue = RedisDialogue()
    assert dialogue.feed_commands(commands, 100) == []
    found = dialogue.feed_replies(replies, 1_000)
    assert [replies[a - 1_000 : b - 1_000] for a, b in found] == [SECRET]
    late = RedisDialogue()  # what is asked is known later, and each comes byte by byte
    for at in range(len(replies)):
        assert late.feed_replies(replies[at : at + 1], at) == []
    spans = [
        span
        for at in range(len(commands))
        for span in late.feed_commands(commands[at : at + 1], at)
    ]
    assert [replies[a:b] for a, b in spans] == [SECRET]


@pytest.mark.parametrize(
    ("commands", "replies"),
    [
        (bulk(b"GET", b"user:1"), one(OTHER)),
        (bulk(b"GET", b"session:count"), one(b"12")),
        (bulk(b"SUBSCRIBE", b"token"), b">3\r\n+subscribe\r\n" + one(OTHER) + b":1\r\n"),
        (bulk(b"GET", b"token"), b"HTTP/1.1 200 OK\r\n\r\n" + one(SECRET)),
        (bulk(b"GET", b"token"), b"$x\r\n" + one(SECRET)),
        (bulk(b"GET", b"token"), b"*1\r\n" * 20),
        (b"\x00\x01" + bulk(b"GET", b"token"), one(SECRET)),
        (bulk(b"GET"), one(SECRET)),
        (b"", one(SECRET)),
        (bulk(b"GET", b"token"), b"$9999999\r\n" + bytes(1 << 20)),
        (b"PING\r\n" * (MAX_PENDING + 1) + bulk(b"GET", b"token"), b""),
    ],
)
def test_what_stays(commands: bytes, replies: bytes) -> None:
    dialogue = RedisDialogue()
    assert dialogue.feed_commands(commands, 0) == []
    assert dialogue.feed_replies(replies, 0) == []


@pytest.mark.parametrize("size", [3, 100])
@pytest.mark.parametrize("name", ["GET", "get", "HGETALL"])
def test_commands_that_are_typed_begin_as_http_does(name: str, size: int) -> None:
    talk = Talk(server_port=6_379).open()
    reply = bulk(b"password", SECRET) if name == "HGETALL" else one(SECRET)
    command = f"{name} api_key\r\n".encode()
    for at in range(0, len(command), size):
        talk.client(command[at : at + size])
    for at in range(0, len(reply), size):
        talk.server(reply[at : at + size])
    talk.close()
    masks = FrameMasks("all")
    masks.add(talk.tape.packets)
    masks.end()
    raw = b"".join(masks.masked(packet)[54:] for packet in talk.tape.packets)
    assert SECRET not in raw and raw.count(b"*" * len(SECRET)) == 1


def test_of_commands_only_what_asks_is_kept() -> None:
    dialogue = RedisDialogue()
    commands = bulk(b"SET", b"a", bytes(100_000)) * 20 + bulk(b"GET", b"token")
    for at in range(0, len(commands), 50_000):
        assert dialogue.feed_commands(commands[at : at + 50_000], at) == []
    assert dialogue.waiting < 20_000 and not dialogue.has_too_much
    replies = b"+OK\r\n" * 20 + one(SECRET)
    (found,) = dialogue.feed_replies(replies, 0)
    assert replies[slice(*found)] == SECRET and dialogue.waiting == 0


@pytest.mark.parametrize(
    "replies",
    [one(bytes(400_000)) * 50, b"$9999999\r\n" + bytes(2_000_000), b":1\r\n" * (MAX_PENDING + 1)],
    ids=["too many bytes", "one that is too long", "too many"],
)
def test_what_waits_is_bounded(replies: bytes) -> None:
    dialogue = RedisDialogue()
    most = 0
    for at in range(0, len(replies), 300_000):
        dialogue.feed_replies(replies[at : at + 300_000], at)
        most = max(most, dialogue.waiting)
    assert dialogue.has_too_much and dialogue.waiting == 0
    assert most < MAX_PENDING_BYTES + (1 << 20)
    assert dialogue.feed_commands(bulk(b"GET", b"token"), 0) == []


@pytest.mark.parametrize("is_let_go", [False, True])
def test_what_waits_is_charged_and_let_go_with_its_connection(is_let_go: bool) -> None:
    talk = Talk(server_port=6_379).open()
    talk.client(*CASES["GET"][:1])
    talk.server(b"$600000\r\n" + SECRET)
    for _ in range(8):
        talk.server(bytes(60_000))
    packets = list(talk.tape.packets)
    masks = FrameMasks("all")
    masks.add(packets)
    (pair,) = masks.pairs.values()
    masks._look_up(pair, is_end=False)  # as a record of it would have it done
    account = pair.connection.account
    before = account.held
    dialogue = next(stream.dialogue for stream in pair.streams if stream.dialogue is not None)
    assert before > dialogue.waiting > 256 * 1024
    account.is_let_go = is_let_go
    talk.server(bytes(60_000))
    talk.server(bytes(60_000 - len(SECRET)) + b"\r\n")
    talk.close()
    masks.add(talk.tape.packets[len(packets) :])
    masks.end()
    assert dialogue.waiting == 0
    assert masks.not_looked_into[ANSWERS] == (len(talk.tape.packets) if is_let_go else 0)
    raw = b"".join(masks.masked(packet)[54:] for packet in talk.tape.packets)
    assert (SECRET in raw) is is_let_go


def test_a_hole_ends_it() -> None:
    dialogue = RedisDialogue()
    dialogue.feed_commands(bulk(b"GET", b"token"), 0)
    assert dialogue.feed_replies(b"$16\r\nab", 0) == []
    assert dialogue.feed_replies(SECRET, 900) == []


@pytest.mark.parametrize("is_midstream", [False, True])
@pytest.mark.parametrize("size", [7, 100_000])
def test_replies_are_masked_in_their_packets(size: int, is_midstream: bool) -> None:
    talk = Talk(server_port=6_379)
    talk = talk.midstream() if is_midstream else talk.open()
    filling = bulk(b"GET", b"name"), one(OTHER * 20_000)
    for commands, replies in (CASES["GET"], filling, CASES["MGET"]):
        for at in range(0, len(commands), size):
            talk.client(commands[at : at + size])
        for at in range(0, len(replies), 1_000):
            talk.server(replies[at : at + 1_000])
    talk.close()
    masks = FrameMasks("all")
    masks.add(talk.tape.packets)
    masks.end()
    raw = b"".join(masks.masked(packet)[54:] for packet in talk.tape.packets)
    assert SECRET not in raw and raw.count(b"*" * len(SECRET)) == 2 and OTHER in raw
