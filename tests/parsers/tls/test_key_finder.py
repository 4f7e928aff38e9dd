"""Whose keys they are: those that come late, of sessions that go on, and of handshakes anew."""

from __future__ import annotations

import pytest
from support.talk import Side
from support.tls import (
    SESSION,
    SWITCH,
    client_hello,
    message,
    record,
    sealed,
    server_hello,
)
from support.tls12_sealed import SUITE, Key12, logged
from support.tls_read import DATA, MESSAGES, Piece, Read, Source
from support.tls_sealed import HELLO, Keys, asked

MASTER, OTHER = bytes(range(48)), bytes(range(100, 148))
FINISHED = message(20, bytes(12))
CHANGE = 20
"""The type of a ChangeCipherSpec."""
CERTIFICATE, DONE = record(22, message(11, bytes(90))), record(22, message(14))
QUESTIONS, ANSWERS = [b"one question", b"another"], [b"one answer", b"another one"]


def dialogue(keys: dict[Side, Key12], session: bytes = SESSION) -> list[Piece]:
    """TLS 1.2: the handshake, a question and its answer, a piece for each flight."""
    client, server = keys["client"], keys["server"]
    hello = record(22, server_hello(suite=SUITE, session=session))
    return [
        ("client", record(22, client_hello())),
        ("server", hello + CERTIFICATE + DONE),
        ("client", record(22, message(16, bytes(33))) + SWITCH + client.seal(MESSAGES, FINISHED)),
        ("server", SWITCH + server.seal(MESSAGES, FINISHED)),
        ("client", client.seal(DATA, QUESTIONS[0])),
        ("server", server.seal(DATA, ANSWERS[0])),
    ]


def keys_of(master: bytes = MASTER, random: bytes = bytes(32)) -> dict[Side, Key12]:
    return {"client": Key12("client", master, random), "server": Key12("server", master, random)}


def talk(read: Read) -> list[list[bytes]]:
    """What both sides said, as far as it is shown."""
    return [[one for one in said if isinstance(one, bytes)] for said in read.content.values()]


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_tls_1_2(step: int) -> None:
    pieces: list[Piece] = [
        (sender, data[at : at + step])
        for sender, data in dialogue(keys_of())
        for at in range(0, len(data), step)
    ]
    read = Read(Source(logged(MASTER))).take(pieces).end()
    assert talk(read) == [QUESTIONS[:1], ANSWERS[:1]]
    assert (read.decryption.amount, read.decryption.reason) == ("yes", None)


def test_a_handshake_anew_has_keys_of_its_own() -> None:
    """RFC 5246 section 7.4.1.1: hellos, flights and switches under the keys before."""
    random, before, after = b"\1" * 32, keys_of(), keys_of(OTHER, b"\1" * 32)
    pieces = dialogue(before)
    client, server = before["client"], before["server"]
    hello = server_hello(suite=SUITE, session=b"") + message(14)
    pieces += [
        ("client", client.seal(MESSAGES, client_hello(session=b"", random=random))),
        ("server", server.seal(MESSAGES, hello)),
        ("client", client.seal(CHANGE, b"\1") + after["client"].seal(MESSAGES, FINISHED)),
        ("server", server.seal(CHANGE, b"\1") + after["server"].seal(MESSAGES, FINISHED)),
        ("client", after["client"].seal(DATA, QUESTIONS[1])),
        ("server", after["server"].seal(DATA, ANSWERS[1])),
    ]
    read = Read(Source(logged(MASTER) + b"\n" + logged(OTHER, random))).take(pieces).end()
    assert talk(read) == [QUESTIONS, ANSWERS]
    assert read.decryption.reason is None
    read = Read(Source(logged(MASTER))).take(pieces).end()  # of the second one no keys are known
    assert talk(read) == [QUESTIONS[:1], ANSWERS[:1]]
    assert read.closed == {"client": 2, "server": 2}
    assert read.decryption.reason == "no keys for this connection"


# --- sessions that go on: the key log has the secret by another connection's random ---

ELSEWHERE = logged(MASTER, b"\7" * 32) + b"\n" + logged(OTHER, b"\x08" * 32)


def test_a_session_that_goes_on_is_found_by_trial() -> None:
    read = Read(Source(ELSEWHERE)).take(dialogue(keys_of())).end()
    assert talk(read) == [QUESTIONS[:1], ANSWERS[:1]]


def test_a_new_session_has_no_secret_of_another_one() -> None:
    read = Read(Source(ELSEWHERE)).take(dialogue(keys_of(), session=b"")).end()
    assert talk(read) == [[], []]
    assert read.decryption.reason == "no keys for this connection"


def test_of_a_session_that_goes_on_no_secret_is_known() -> None:
    found = logged(OTHER, b"\x08" * 32) + b"\n" + Keys.log(random=b"\x09" * 32)
    read = Read(Source(found)).take(dialogue(keys_of())).end()
    assert talk(read) == [[], []]
    assert read.decryption.reason == "no keys for this connection"


def test_without_the_clients_hello_the_random_is_found_by_trial() -> None:
    keys = keys_of(random=b"\x07" * 32)
    pieces = dialogue(keys)
    pieces[0] = ("client", len(pieces[0][1]))
    read = Read(Source(ELSEWHERE)).take(pieces).end()
    assert talk(read) == [QUESTIONS[:1], ANSWERS[:1]]


# --- what is not decrypted ---


@pytest.mark.parametrize(
    ("hello", "reason"),
    [
        pytest.param(
            server_hello(suite=SUITE, compression=1),
            "compressed records are not decrypted",
            id="compressed",
        ),
        pytest.param(
            server_hello(suite=0x0005),
            "TLSv1.2 with TLS_RSA_WITH_RC4_128_SHA is not decrypted",
            id="suite",
        ),
        pytest.param(
            server_hello((43, b"\x7f\x1c"), suite=0x1301),
            "0x7F1C with TLS_AES_128_GCM_SHA256 is not decrypted",
            id="version",
        ),
    ],
)
def test_what_is_not_decrypted_is_named(hello: bytes, reason: str) -> None:
    pieces = dialogue(keys_of())
    pieces[1] = ("server", record(22, hello) + DONE)
    read = Read(Source(logged(MASTER))).take(pieces).end()
    assert talk(read) == [[], []]
    assert (read.decryption.amount, read.decryption.reason) == ("no", reason)


def test_messages_in_the_clear_after_a_loss_are_not_taken_for_encrypted_ones() -> None:
    """The switch may be among what is lost, so that they are tried; they do not open."""
    pieces = dialogue(keys_of())
    hello = pieces[1][1][: -len(CERTIFICATE + DONE)]
    pieces[1:2] = [("server", hello), ("server", len(CERTIFICATE)), ("server", DONE)]
    read = Read(Source(logged(MASTER))).take(pieces).end()
    assert read.content["server"] == ANSWERS[:1]
    assert read.closed == {"client": 0, "server": 0}


def test_a_switch_that_is_lost() -> None:
    pieces = dialogue(keys_of())
    data = pieces[3][1]
    assert isinstance(data, bytes)
    pieces[3:4] = [("server", len(SWITCH)), ("server", data[len(SWITCH) :])]
    read = Read(Source(logged(MASTER))).take(pieces).end()
    assert read.content["server"] == ANSWERS[:1]


def test_damage_to_two_records_in_a_row() -> None:
    keys = keys_of()
    pieces = dialogue(keys)
    for number in range(2):
        data = keys["server"].seal(DATA, b"damaged %d" % number)
        pieces.append(("server", data[:-1] + bytes([data[-1] ^ 1])))
    pieces.append(("server", keys["server"].seal(DATA, ANSWERS[1])))
    read = Read(Source(logged(MASTER))).take(pieces).end()
    assert read.content["server"] == [ANSWERS[0], 2 * len(b"damaged 0"), ANSWERS[1]]
    assert read.closed["server"] == 2


# --- keys that come late ---


def test_keys_that_come_when_they_are_asked_for() -> None:
    read = Read(Source(b"", later=logged(MASTER))).take(dialogue(keys_of())).end()
    assert talk(read) == [QUESTIONS[:1], ANSWERS[:1]]


def test_records_wait_for_keys_that_may_come() -> None:
    """A random that is hidden is looked for once each time that keys have come."""
    keys, source = Keys(), Source(Keys.log(random=b"\1" * 32, without="SECRET"), waits=True)
    key = keys("server", "handshake")
    read = Read(source).take([("client", asked((0xFE0D, bytes(20)))), ("server", HELLO)])
    first = [("server", key.seal(MESSAGES, message(8, bytes(2))) + key.seal(MESSAGES, message(20)))]
    read.take([*first, ("server", keys("server", "traffic").seal(DATA, ANSWERS[0]))])
    assert read.content["server"] == []
    source.log.read(Keys.log(48, random=b"\2" * 32))  # another connection's
    read.take([("server", keys("server", "traffic").seal(DATA, ANSWERS[1]))])
    assert read.content["server"] == []
    source.log.read(keys.log(random=b"\3" * 32))
    read.end()
    assert read.content["server"] == ANSWERS


def test_records_of_nobody_wait_in_vain() -> None:
    read = Read(Source(Keys.log(random=b"\2" * 32), waits=True))
    read.take([("client", asked((0xFE0D, bytes(20)))), ("server", HELLO + sealed(90))])
    assert read.closed["server"] == 0
    assert read.end().closed["server"] == 1
    assert read.decryption.reason == "no keys for this connection"
