"""Records opened: every epoch, early data, updates, loss, the middle, hidden hellos, and bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.talk import Side
from support.tls import (
    CHOOSES_TLS13,
    SWITCH,
    client_hello,
    message,
    record,
    sealed,
    server_hello,
)
from support.tls_read import ALERT, DATA, MESSAGES, Piece, Read, Source
from support.tls_sealed import (
    EARLY_DATA,
    END_OF_EARLY_DATA,
    FINISHED,
    HELLO,
    KEY_UPDATE,
    RETRY,
    SUITES,
    Keys,
    asked,
    encrypted_extensions,
)

from parsers.tls import sealed_side, trial


def flight(keys: Keys, *found: tuple[int, bytes]) -> bytes:
    """What a server sends after its hello."""
    key = keys("server", "handshake")
    return key.seal(MESSAGES, encrypted_extensions(*found)) + key.seal(MESSAGES, FINISHED)


def opening(keys: Keys, suite: int = 0x1301) -> list[Piece]:
    """The handshake, and what the client asks."""
    hello = record(22, server_hello(CHOOSES_TLS13, suite=suite)) + SWITCH
    finished = SWITCH + keys("client", "handshake").seal(MESSAGES, FINISHED)
    request = keys("client", "traffic").seal(DATA, b"question")
    return [
        ("client", asked()),
        ("server", hello + flight(keys)),
        ("client", finished + request),
    ]


def dialogue(keys: Keys, suite: int = 0x1301) -> list[Piece]:
    key = keys("server", "traffic")
    answers = [key.seal(DATA, b"answer %d" % number) for number in range(6)]
    answers.append(key.seal(ALERT, b"\1\0"))
    return [*opening(keys, suite), *[("server", answer) for answer in answers]]


def begun(keys: Keys) -> list[Piece]:
    """The dialogue up to the first answer."""
    return [*opening(keys), ("server", keys("server", "traffic").seal(DATA, b"answer 0"))]


ANSWERS = [b"answer %d" % number for number in range(6)]


@pytest.mark.parametrize("suite", SUITES)
def test_every_suite(suite: int) -> None:
    keys = Keys(suite)
    size = 48 if suite == 0x1302 else 32
    read = Read(Source(keys.log(size))).take(dialogue(keys, suite)).end()
    assert read.content == {"client": [b"question"], "server": ANSWERS}
    assert read.closed == {"client": 0, "server": 0}
    assert (read.decryption.amount, read.decryption.reason) == ("yes", None)
    assert read.decryption.says_end("server") is True
    assert read.decryption.says_end("client") is False
    assert read.ended == ["client", "server"]


def test_padding_and_empty_records() -> None:
    keys = Keys()
    pieces = opening(keys)
    key = keys("server", "traffic")
    pieces += [("server", key.seal(DATA, b"a", 100) + key.seal(DATA, b"", 50) + key.seal(0, b""))]
    pieces += [("server", key.seal(DATA, b"b"))]
    assert Read(Source(keys.log())).take(pieces).content["server"] == [b"a", b"b"]


# --- early data ---


def early(*, taken: bool) -> tuple[Keys, list[Piece]]:
    keys = Keys()
    sent = keys("client", "early").seal(DATA, b"early")
    if taken:
        sent_end = keys("client", "early").seal(MESSAGES, END_OF_EARLY_DATA)
    finished = keys("client", "handshake").seal(MESSAGES, FINISHED)
    return keys, [
        ("client", asked(EARLY_DATA) + SWITCH + sent),
        ("server", HELLO + flight(keys, *([EARLY_DATA] if taken else []))),
        ("server", keys("server", "traffic").seal(DATA, b"soon")),
        ("client", (sent_end if taken else b"") + finished),
        ("client", keys("client", "traffic").seal(DATA, b"late")),
    ]


def test_early_data_that_is_taken() -> None:
    keys, pieces = early(taken=True)
    read = Read(Source(keys.log())).take(pieces).end()
    assert read.content == {"client": [b"early", b"late"], "server": [b"soon"]}
    assert read.decryption.amount == "yes"


def test_early_data_in_vain_is_never_shown() -> None:
    keys, pieces = early(taken=False)
    read = Read(Source(keys.log())).take(pieces).end()
    assert read.content == {"client": [b"late"], "server": [b"soon"]}
    assert (read.decryption.amount, read.closed["client"]) == ("yes", 1)


def test_early_data_before_a_retry_is_never_shown() -> None:
    keys = Keys()
    first = asked(EARLY_DATA) + SWITCH + keys("client", "early").seal(DATA, b"early")
    rest = dialogue(keys)[1:]
    pieces: list[Piece] = [("client", first), ("server", RETRY), ("client", asked()), *rest]
    read = Read(Source(keys.log())).take(pieces).end()
    assert read.content == {"client": [b"question"], "server": ANSWERS}


def test_early_data_waits_until_it_is_known_to_be_taken() -> None:
    keys, pieces = early(taken=True)
    read = Read(Source(keys.log())).take(pieces[:1])
    assert read.content["client"] == []
    assert read.take(pieces[1:2]).content["client"] == [b"early"]


# --- updates ---


@pytest.mark.parametrize("updates", [1, 2, 5])
def test_updates(updates: int) -> None:
    keys = Keys()
    pieces = begun(keys)
    for number in range(updates):
        pieces.append(("server", keys("server", "traffic").seal(MESSAGES, KEY_UPDATE)))
        keys.update("server")
        pieces.append(("server", keys("server", "traffic").seal(DATA, b"%d" % number)))
    read = Read(Source(keys.log())).take(pieces)
    assert read.content["server"] == [b"answer 0", *[b"%d" % number for number in range(updates)]]


def test_a_finished_after_the_handshake_changes_no_key() -> None:
    keys = Keys()
    pieces = opening(keys)
    for _ in range(2):
        pieces.append(("client", keys("client", "traffic").seal(MESSAGES, FINISHED)))
    pieces.append(("client", keys("client", "traffic").seal(DATA, b"more")))
    read = Read(Source(keys.log())).take(pieces)
    assert read.content["client"] == [b"question", b"more"]


@pytest.mark.parametrize("lost", [1, 2])
def test_an_update_that_is_lost(lost: int) -> None:
    keys = Keys()
    pieces = begun(keys)
    for _ in range(lost):
        pieces.append(("server", len(keys("server", "traffic").seal(MESSAGES, KEY_UPDATE))))
        keys.update("server")
    pieces += [("server", keys("server", "traffic").seal(DATA, b"after" * 9)) for _ in range(2)]
    read = Read(Source(keys.log())).take(pieces).end()
    assert [one for one in read.content["server"] if isinstance(one, bytes)][1:] == [
        b"after" * 9
    ] * 2


# --- loss ---


@pytest.mark.parametrize("first", [3, 5])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_what_is_lost_is_counted_to_the_byte(first: int, count: int) -> None:
    keys = Keys()
    pieces = dialogue(keys)
    lost = pieces[first : first + count]
    length = sum(len(data) for _, data in lost)
    pieces[first : first + count] = [("server", length)]
    read = Read(Source(keys.log())).take(pieces).end()
    answers: list[bytes | int] = list(ANSWERS)
    answers[first - 3 : first - 3 + count] = [8 * count]
    assert read.content["server"] == answers
    assert read.decryption.amount == "part"
    assert f"{length} bytes from the server" in str(read.decryption.reason)


def test_a_part_of_a_record_that_is_lost_costs_that_record() -> None:
    keys = Keys()
    pieces = dialogue(keys)
    data = pieces[4][1]
    assert isinstance(data, bytes)
    pieces[4:5] = [("server", data[:9]), ("server", 4), ("server", data[13:])]
    read = Read(Source(keys.log())).take(pieces).end()
    assert read.content["server"] == [ANSWERS[0], 8, *ANSWERS[2:]]


def test_a_tail_that_is_lost_leaves_the_end_unknown() -> None:
    keys = Keys()
    pieces = dialogue(keys)
    pieces[-1] = ("server", 24)
    read = Read(Source(keys.log())).take(pieces).end()
    assert read.content["server"][-1] == 2
    assert read.decryption.says_end("server") is None


def test_damage_costs_one_record() -> None:
    keys = Keys()
    pieces = dialogue(keys)
    data = pieces[4][1]
    assert isinstance(data, bytes)
    pieces[4] = ("server", data[:-1] + bytes([data[-1] ^ 1]))
    read = Read(Source(keys.log())).take(pieces).end()
    assert read.content["server"] == [ANSWERS[0], 8, *ANSWERS[2:]]
    assert read.closed["server"] == 1
    assert read.decryption.reason == "1 record from the server did not open: not its keys"


def test_the_search_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed_side, "MAX_TLS_SEARCH", 100)
    keys = Keys()
    pieces = begun(keys)
    for _ in range(200):
        keys("server", "traffic").seal(DATA, b"")
    pieces += [("server", 200 * 22), ("server", keys("server", "traffic").seal(DATA, b"x" * 30))]
    pieces += [("server", keys("server", "traffic").seal(DATA, b"y" * 30))]
    read = Read(Source(keys.log())).take(pieces).end()
    assert [one for one in read.content["server"] if isinstance(one, bytes)] == [b"answer 0"]


# --- the middle, and hellos that are missing or hide the random ---


@pytest.mark.parametrize("before", [0, 83, 5_000])
def test_the_middle(before: int) -> None:
    keys = Keys()
    for _ in range(before):
        keys("server", "traffic").number += 1
    pieces: list[Piece] = [("server", keys("server", "traffic").seal(DATA, one)) for one in ANSWERS]
    pieces.append(("client", keys("client", "traffic").seal(DATA, b"question")))
    other = Keys.log(48, random=bytes([1]) * 32)
    read = Read(Source(keys.log() + b"\n" + other), is_joined=True).take(pieces).end()
    assert read.content == {"client": [b"question"], "server": ANSWERS}
    assert read.decryption.keys.version == "TLSv1.3"
    assert read.decryption.keys.cipher_suite == 0x1301
    assert read.decryption.sides["server"].joined_at == before
    assert read.decryption.reason == "the beginning is not in the capture"


def test_the_middle_without_a_key_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "MAX_TLS_TRIALS", 500)
    keys = Keys()
    pieces: list[Piece] = [("server", keys("server", "traffic").seal(DATA, one)) for one in ANSWERS]
    other = Keys.log(48, random=bytes([1]) * 32)
    read = Read(Source(other), is_joined=True).take(pieces).end()
    assert read.content["server"][1:] == []
    assert read.decryption.amount == "no"
    assert "the ServerHello is missing" in str(read.decryption.reason)


def test_without_the_clients_hello() -> None:
    keys = Keys()
    pieces = dialogue(keys)
    pieces[0] = ("client", len(asked()))
    others = b"\n".join(Keys.log(48, random=bytes([n]) * 32) for n in range(1, 9))
    read = Read(Source(keys.log() + b"\n" + others)).take(pieces).end()
    assert read.content == {"client": [b"question"], "server": ANSWERS}


def test_a_random_that_is_hidden() -> None:
    keys = Keys()
    pieces = dialogue(keys)
    pieces[0] = ("client", asked((0xFE0D, b"\0" * 20)))
    inner = bytes([7]) * 32
    read = Read(Source(keys.log(random=inner))).take(pieces).end()
    assert read.content == {"client": [b"question"], "server": ANSWERS}
    pieces[0] = ("client", asked())  # without ECH the random is what it says
    read = Read(Source(keys.log(random=inner))).take(pieces).end()
    assert read.content["server"][1:] == []
    assert read.decryption.reason == "no keys for this connection"


def test_without_the_servers_hello() -> None:
    keys = Keys()
    pieces = dialogue(keys)
    data = pieces[1][1]
    assert isinstance(data, bytes)
    pieces[1:2] = [("server", len(HELLO)), ("server", data[len(HELLO) :])]
    read = Read(Source(keys.log())).take(pieces).end()
    assert read.content["server"] == ANSWERS
    assert read.content["client"] == [b"question"]


@pytest.mark.parametrize("missing", ["HANDSHAKE", "CLIENT", "SERVER", "TRAFFIC_SECRET_0"])
def test_keys_that_are_missing(missing: str) -> None:
    keys = Keys()
    read = Read(Source(keys.log(without=missing))).take(dialogue(keys)).end()
    shown = {
        side: [one for one in said if isinstance(one, bytes)] for side, said in read.content.items()
    }
    has = {"client": missing not in ("CLIENT", "TRAFFIC_SECRET_0"),
           "server": missing not in ("SERVER", "TRAFFIC_SECRET_0")}  # fmt: skip
    assert shown["client"] == ([b"question"] if has["client"] else [])
    assert shown["server"] == (ANSWERS if has["server"] else [])
    assert read.decryption.reason


def test_the_key_after_the_handshakes_is_missing() -> None:
    keys = Keys()
    messages = encrypted_extensions() + FINISHED + KEY_UPDATE  # an update is of no use here
    pieces: list[Piece] = [
        ("client", asked()),
        ("server", HELLO + keys("server", "handshake").seal(MESSAGES, messages)),
        ("server", keys("server", "traffic").seal(DATA, b"answer 0")),
    ]
    read = Read(Source(keys.log(without="SERVER_TRAFFIC"))).take(pieces).end()
    assert read.messages == [FINISHED[0], KEY_UPDATE[0]]
    assert read.closed == {"client": 0, "server": 1}
    assert read.decryption.reason == "no keys for the server"


def test_a_record_of_nobody_after_a_loss_stays_closed() -> None:
    keys = Keys()
    pieces = begun(keys)
    pieces += [("server", 100), ("server", sealed(60))]
    pieces += [("server", keys("server", "traffic").seal(DATA, b"answer 1"))]
    read = Read(Source(keys.log())).take(pieces).end()
    assert [one for one in read.content["server"] if isinstance(one, bytes)] == ANSWERS[:2]
    assert read.closed["server"] == 1


def test_records_that_another_has_opened_are_counted() -> None:
    """The fast path opens a run of them, where the next number is certain."""
    keys = Keys()
    read = Read(Source(keys.log()))
    side = read.decryption.sides["server"]
    assert not side.is_certain, "nothing has come yet"
    read.take(opening(keys))
    read.take([("server", keys("server", "traffic").seal(DATA, b"answer 0"))])
    assert side.is_certain
    run = [keys("server", "traffic").seal(DATA, b"by the run") for _ in range(3)]
    side.count_run(3, side.sequence + 3, side.offset + sum(map(len, run)))
    read.receive_run("server", run)
    read.take([("server", keys("server", "traffic").seal(DATA, b"answer 1"))])
    assert read.content["server"] == [b"answer 0", b"answer 1"]
    assert read.decryption.end("server", "close")
    assert read.decryption.amount == "yes"


# --- messages in the handshake, and none ---


def test_extensions_that_are_malformed_are_said_and_change_nothing() -> None:
    keys = Keys()
    pieces = opening(keys)
    key = keys("server", "handshake")
    key.number = 0
    bad = key.seal(MESSAGES, message(8, b"\0\xff")) + key.seal(MESSAGES, FINISHED)
    pieces[1] = ("server", HELLO + bad)
    pieces.append(("server", keys("server", "traffic").seal(DATA, b"answer 0")))
    read = Read(Source(keys.log())).take(pieces).end()
    assert read.faults == ["tls-hello-invalid"]
    assert read.content == {"client": [b"question"], "server": [b"answer 0"]}


def test_a_hello_among_the_encrypted_begins_no_new_handshake() -> None:
    """TLS 1.3 has no renegotiation (RFC 8446 section 4.1.2)."""
    keys = Keys()
    pieces = opening(keys)
    again = client_hello(CHOOSES_TLS13, random=b"\1" * 32)
    pieces.append(("client", keys("client", "traffic").seal(MESSAGES, again)))
    pieces.append(("client", keys("client", "traffic").seal(DATA, b"more")))
    assert Read(Source(keys.log())).take(pieces).end().content["client"] == [b"question", b"more"]


def test_of_two_hellos_in_the_clear_the_first_one_counts() -> None:
    keys = Keys()
    pieces = dialogue(keys)
    other = record(22, server_hello(CHOOSES_TLS13, suite=0x1302, random=b"\1" * 32))
    pieces[1] = ("server", pieces[1][1][: len(HELLO)] + other + pieces[1][1][len(HELLO) :])
    read = Read(Source(keys.log())).take(pieces).end()
    assert read.content == {"client": [b"question"], "server": ANSWERS}
    assert read.decryption.keys.cipher_suite == 0x1301


def test_nothing_encrypted() -> None:
    read = Read(Source(b"")).take([("client", asked()), ("server", HELLO)]).end()
    assert (read.decryption.amount, read.decryption.reason) == ("no", "nothing was encrypted")
    assert read.ended == ["client", "server"]


@given(st.lists(st.tuples(st.sampled_from(["client", "server"]), st.binary(max_size=80))))
def test_any_bytes_give_no_content(pieces: list[tuple[Side, bytes]]) -> None:
    keys = Keys()
    read = Read(Source(keys.log())).take(opening(keys))
    before = list(read.content["server"])
    read.take(list(pieces)).end()
    assert [one for one in read.content["server"] if isinstance(one, bytes)] == before
