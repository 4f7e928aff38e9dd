"""Secrets whose names, quotes and signs are in percent encoding."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from wireproof.redact.content import ContentFinder
from wireproof.redact.encoded_text import Decoded, EncodedText, find_encoded
from wireproof.redact.secrets import mask_spans, merged

SECRET = "9fQ2bD7xVtLm4sKp8RwZ"
JSON = f'{{"password": "{SECRET}", "n": 1}}'
TEXTS = [
    f"/a?p%61ssword={SECRET}&b=1",
    f"/a?password%5B0%5D={SECRET}",
    f"/a?x={quote(JSON)}",
    f"x={quote(quote(JSON))}&y=1",
    f"q={quote(quote(quote(f'a&api_key={SECRET}&b')))}",
    f"d=%7B%22token%22:%22{SECRET}%22%7D",
    f"<div data-x='{{&quot;password&quot;:&quot;{SECRET}&quot;}}'>",
    f"<div data-x='{{&#34;api_key&#34;:&#x22;{SECRET}&#34;}}'>",
    f"&lt;password&gt;{SECRET}&lt;/password&gt;",
    f"&amp;quot;password&amp;quot;:&amp;quot;{SECRET}&amp;quot;",
    f"body=%3Cpassword%3E{SECRET}%3C%2Fpassword%3E",
    f"q=%22password%22%3A+%22{SECRET}%22&a=1",
    f"q=set+the+password+%3D+{SECRET}%26a%3D1",
    # as PHP writes JSON (json_encode without JSON_UNESCAPED_SLASHES)
    rf'{{"dsn":"postgres:\/\/anna:{SECRET}@db:5432\/a"}}',
    json.dumps({"a": json.dumps({"dsn": f"mysql://u:{SECRET}@h/d"}).replace("/", "\\/")}),
    rf'{{"a":"{{\"x\":\"<password>{SECRET}<\\/password>\"}}"}}',
    rf'{{"xml":"<password>{SECRET}<\/password>"}}',
]


def test_where_characters_came_from() -> None:
    plain = Decoded("a%20b%252F%zz")
    assert plain.text == "a b/%zz"
    assert [plain.span(at, at + 1) for at in range(7)] == [
        *((0, 1), (1, 4), (4, 5), (5, 10), (10, 11), (11, 12), (12, 13))
    ]
    assert plain.span(0, 4) == (0, 10)


@pytest.mark.parametrize(
    "text, plain",
    [
        ("a%3A+b+c%2C+d", "a: b c, d"),
        ("say+the+word%0A++next", "say the word\n  next"),
        ("key%3Dab3+x9", "key=ab3+x9"),
        ("a=%C3%A9&b=1&c", "a=\u00c3\u00a9\nb=1&c"),
    ],
)
def test_spaces_and_fields_of_a_form(text: str, plain: str) -> None:
    """A sign of base64 stays one."""
    assert Decoded(text).text == plain


@pytest.mark.parametrize("text", TEXTS)
def test_no_secret_is_left(text: str) -> None:
    shown = mask_spans(text, find_encoded(text))
    assert shown.startswith(text.partition(SECRET)[0] + "*" * len(SECRET))
    for size in (1, 2, 5, 11):
        finder = ContentFinder(is_event_stream=False)
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        shown = "".join(mask_spans(one, finder.feed(one)) for one in pieces)
        assert [at for at in range(13) if SECRET[at : at + 8] in shown] == []


@pytest.mark.parametrize("text", ["50% of %zz", "a%20b", "x=%7B%22city%22%3A%22Oslo%22%7D", "%"])
def test_what_is_no_secret_stays(text: str) -> None:
    assert find_encoded(text) == []
    finder = EncodedText()
    assert finder.feed_fast(text) == finder.feed("abc") == []


def test_a_name_that_came_before_anything_was_encoded() -> None:
    finder = EncodedText()
    assert finder.feed_fast("x=1&api_") == []
    assert merged(finder.feed_fast("key%3Dabcd")) == [(6, 10)]
