"""The latest content of a stream, and what it is masked with."""

from __future__ import annotations

from wireproof.redact.recent import MAX_RECENT, Recent

KEY = b"\x01\x02\x03\x04"


def recent(*pieces: tuple[str, int], keys: dict[int, bytes] | None = None) -> Recent:
    found = Recent()
    found.add([text for text, _ in pieces], [place for _, place in pieces], keys or {})
    return found


def test_places_of_spans_in_pieces_that_do_not_touch() -> None:
    found = recent(("abcd", 10), ("efgh", 20))
    assert found.text == "abcdefgh" and found.start == 10 and found.size == 8
    assert list(found.places([(2, 6)])) == [(12, 14), (20, 22)]


def test_what_lies_within() -> None:
    found = recent(("abcd", 10), ("efgh", 20)).within(12, 23)
    assert found.text == "cdefg"
    assert list(found.places([(0, 5)])) == [(12, 14), (20, 23)]
    assert not recent(("abcd", 10)).within(14, 20)


def test_the_latest_is_whole_pieces() -> None:
    assert recent(("abcd", 10), ("efgh", 20)).latest(3).text == "efgh"
    assert recent(("abcd", 10)).latest(30).text == "abcd"


def test_what_is_no_longer_needed_is_forgotten() -> None:
    found = recent(("abcd", 10), ("efgh", 20), keys={10: KEY, 20: KEY})
    found.forget(14)
    assert found.text == "efgh" and found.key_at(22) == (KEY, 2)
    found.forget(24)
    assert found.start is None and not found


def test_too_much_is_cut_and_its_key_turned() -> None:
    found = recent((MAX_RECENT * "a" + "bcd", 10), keys={10: KEY})
    found.forget(0)
    assert found.size == MAX_RECENT and found.start == 13 and found.text.endswith("abcd")
    assert found.key_at(13) == (KEY[3:] + KEY[:3], 0)


def test_content_without_a_key() -> None:
    found = recent(("abcd", 10), ("e", 20), keys={20: KEY})
    assert found.key_at(11) is None and found.key_at(5) is None and found.key_at(20) == (KEY, 0)
