"""What was JSON is JSON once it is redacted, and says the same but for its secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wireproof.redact.content import ContentFinder
from wireproof.redact.json_bounds import MAX_LINE, JsonBounds, is_whole
from wireproof.redact.records import mask_bytes
from wireproof.redact.secrets import mask_text

ENDINGS = ["API_KEY=", "password: ", '"password":', "token=", "Authorization: Bearer ",
           "x-api-key:", "secret = '", "-----BEGIN PRIVATE KEY-----", "sk-proj-",
           "https://anna:", "password: `",
           "passwords:\n  - ", "{\"password\": [", "\\", "\"", "name=\"token\" value="]  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["hunter22222", "sk-proj-abcdefghijklmnop", "ok", *ENDINGS]),
    st.builds(str.__add__, st.sampled_from(ENDINGS), st.sampled_from(["", "abcd1234efgh", " "])),
)
NAMES = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        ["password", "pin", "api_key", "credentials", "content", "key", "value", "name"]
    ),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False,
                    allow_infinity=False), TEXTS)  # fmt: skip
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=12,
)


def redacted(*pieces: str, is_event_stream: bool = False) -> str:
    finder = ContentFinder(is_event_stream=is_event_stream)
    masked = [mask_bytes(one.encode("latin-1"), finder.feed(one), finder.numbers) for one in pieces]
    return b"".join(masked).decode("latin-1")


def at(text: str, *cuts: int) -> list[str]:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[a:b] for a, b in zip(places, places[1:], strict=False)] or [""]


def shape(value: Any) -> Any:
    """What is the same: names but for those that are secret themselves, and types."""
    if isinstance(value, dict):
        return [shape(inner) for inner in value.values()]
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return "number" if type(value) in (int, float) else type(value)


@given(DOCUMENTS, st.lists(st.integers(0, 400), max_size=4), st.sampled_from([None, 2]))
@example({"a": "API_KEY=", "b": {"c": "password: "}}, [7], None)
@example([{"password": 12345678}, -1.5e3], [14], None)
@example(["password: ", "hunter2222"], [13], None)
@example([0, "-", {"pin": 0}], [], 2)
def test_what_was_json_is_json(document: Any, cuts: list[int], indent: int | None) -> None:
    document = {"document": document}
    for is_ascii in (True, False):
        text = json.dumps(document, ensure_ascii=is_ascii, indent=indent)
        text = text.encode(errors="surrogatepass").decode("latin-1")
        found = redacted(*at(text, *cuts))
        assert len(found) == len(text)
        # A surrogate by itself is no character, which is nothing that redaction has brought.
        said = json.loads(found.encode("latin-1").decode(errors="surrogatepass"))
        assert shape(said) == shape(document), found


@given(st.lists(TEXTS, min_size=1, max_size=5), st.lists(st.integers(0, 600), max_size=5))
@example(["export", " API", "_KEY", "=", "abcd", "efgh", "1234", "\n", "ok"], [])
@example(['"password":', ' "', "abc123def456", '"'], [77])
@example(["Set `", "API_KEY=", "`", " in"], [99])
def test_events_stay_events(deltas: list[str], cuts: list[int]) -> None:
    events = [{"choices": [{"delta": {"content": delta}}]} for delta in deltas]
    text = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    found = redacted(*at(text, *cuts), is_event_stream=True)
    lines = found.split("\n\n")[:-1]
    assert len(lines) == len(events)
    for line, event in zip(lines, events, strict=True):
        assert line.startswith("data: ")
        assert shape(json.loads(line[6:])) == shape(event)


@pytest.mark.parametrize("piece", [1, 7, 400])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a":"API_KEY=","b":1}', '{"a":"API_KEY=","b":1}'),
        ('{"password": 12345678, "n": 12}', '{"password": 99999999, "n": 12}'),
        ('{"passcode": -1.50e3}', '{"passcode": -9.99e9}'),
        ('{"api_keys": ["abc", 5, "d"]}', '{"api_keys": ["***", 5, "*"]}'),
        ('0:"set password: "\n0:"ok"\n', '0:"set password: "\n0:"**"\n'),
        ('42["password: ","hunter22"]', '42["password: ","hunter22"]'),
        ('{"x": "\\u0070assword=hunter22"}', '{"x": "\\u0070assword=********"}'),
        # No JSON: a value is what follows its name.
        ('say password="hunter22" ok', 'say password="********" ok'),
        ("password=12345678 [1]", "password=******** [1]"),
        ('[info] password=hunter22 "x"', '[info] password=******** "x"'),
        ('{"a": 1} password=hunter22 {"b"', '{"a": 1} password=******** {"b"'),
    ],
)
def test_what_is_masked(text: str, expected: str, piece: int) -> None:
    pieces = [text[i : i + piece] for i in range(0, len(text), piece)]
    if piece == 1 and "pin" in text:  # a sign by itself does not tell that a number follows
        return
    assert redacted(*pieces) == expected


@pytest.mark.parametrize(
    "opening", ["password='", "api_key='", 'token="', "x = {'api_key': '", "credentials = ["]
)
@pytest.mark.parametrize("are_together", [False, True])
def test_a_value_that_a_delta_opens_goes_on_in_deltas_alone(
    opening: str, are_together: bool
) -> None:
    deltas = ["connect(", opening, "hunter2", "hunter3", "', x)"]
    events: list[Any] = [
        {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": one}}],
         "model": "model-of-theirs"}
        for one in deltas
    ]  # fmt: skip
    pieces = [f"event: message\ndata: {json.dumps(event)}\n\n" for event in events]
    found = redacted(*pieces, is_event_stream=True)
    if are_together:
        finder, text = ContentFinder(is_event_stream=True), "".join(pieces)
        found = mask_bytes(text.encode(), finder.feed(*pieces), finder.numbers).decode()
    said = [json.loads(line[6:]) for line in found.splitlines() if line.startswith("data: ")]
    masked = [one["choices"][0]["delta"].pop("content") for one in said]
    assert masked[:4] == ["connect(", opening, "*******", "*******"]
    for event in events:
        del event["choices"][0]["delta"]["content"]
    assert said == events
    assert found.count("event: message\n") == len(events)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"a": [1, "}"]}', True), ('data: {"a": {}}', True), ("[1]", True), ('42["a"]', True),
        ('{"a": 1', False), ('{"a": 1},', False), ('"a": {}', False), ("data: hello {}", False),
        ("{} x", False), ('{"a": "', False), ("", False),
    ],
)  # fmt: skip
def test_a_line_is_whole(line: str, expected: bool) -> None:
    assert is_whole(line) is expected


def test_lines_of_any_length_are_read() -> None:
    text = (
        '{"long": "'
        + 3 * MAX_LINE * "x \\\\"
        + '", "b": "API_KEY=", "password": 1234567, "c": "x"}'
    )
    for size in (1000, 1001, 100_000):
        pieces = [text[i : i + size] for i in range(0, len(text), size)]
        assert redacted(*pieces) == text.replace("1234567", "9999999")


def test_what_an_expression_of_a_user_finds_is_masked_inside_of_values() -> None:
    text = '{"account": 42, "b": ["x", "y"]}'
    found = JsonBounds().clip(text, [(0, len(text))])
    assert [text[a:b] for a, b in found.spans] == ["x", "y"]
    assert [text[a:b] for a, b in found.numbers] == ["42"]


def test_a_name_that_is_secret_itself_is_masked() -> None:
    text = '{"sk-proj-abcdefghijklmnop": 1}'
    assert redacted(text) == '{"************************": 1}'


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_lines_of_a_secret_stay_lines(end: str) -> None:
    """And what is masked stays as it is when it is masked again."""
    begin = f'form-data; name="secret"{end}{end}'
    text, expected = f"{begin}abc1{end}de{end}--X", f"{begin}****{end}**{end}--X"
    for cut in range(len(text)):
        assert redacted(*at(text, cut)) == redacted(*at(expected, cut)) == expected


def test_texts_as_such_are_masked_as_before() -> None:
    assert mask_text('password: "x y"') == 'password: "***"'
