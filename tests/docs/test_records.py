"""The reference of the records is what the records say, and what they are."""

from __future__ import annotations

import json
import re
import runpy
from collections import Counter
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from jsonschema import Draft202012Validator
from support.attack import attack
from support.corpus import ROOT, captures_folder
from support.stored import STORED, name
from support.tshark import captures

from parsers.decode.capture import decode
from parsers.records import Record, Sent, field_names

SCRIPT = ROOT / "docs" / "records.py"
PAGE = SCRIPT.with_suffix(".md")
SCHEMA = SCRIPT.with_suffix(".schema.json")
WRITTEN = runpy.run_path(str(SCRIPT))
KINDS: dict[str, type[Any]] = {kind.record: kind for kind in get_args(Record)}


def strict() -> Draft202012Validator:
    """The schema, but that it allows no field that it does not know."""
    schema = deepcopy(WRITTEN["schema"]())
    for kind in schema["$defs"].values():
        kind["additionalProperties"] = False
    return Draft202012Validator(schema)


def kinds_in(data: bytes) -> Counter[str]:
    """Validate every line that a capture gives, and count the kinds."""
    validator, found = strict(), Counter[str]()
    for line in msgspec.json.Encoder().encode_lines(list(decode(BytesIO(data)))).splitlines():
        record = json.loads(line)
        kind = {"$ref": f"#/$defs/{KINDS[record['record']].__name__}"}
        errors = validator.evolve(schema=validator.schema | {"anyOf": [kind]}).iter_errors(record)
        assert [error.message for error in errors] == []
        found[record["record"]] += 1
    return found


@pytest.mark.parametrize(("path", "text"), [(PAGE, "page"), (SCHEMA, "schema_text")])
def test_both_are_what_the_records_say(path: Path, text: str) -> None:
    assert path.read_text() == WRITTEN[text](), "write it anew: make reference"


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(json.loads(SCHEMA.read_text()))


@pytest.mark.parametrize("path", STORED, ids=name)
def test_stored_captures_give_records_of_the_schema(path: Path) -> None:
    assert kinds_in(path.read_bytes())["connection"]


@pytest.mark.slow
def test_public_captures_give_records_of_the_schema() -> None:
    captures_folder()
    found = sum((kinds_in(path.read_bytes()) for path in captures()), Counter())
    assert set(found) == set(KINDS) - {
        "json_line", "part", "aws_event", "tls_record", "quic", "quic_packet", "http3_data",
        "http3_frame",
    }, "bodies has these, tls and quic"  # fmt: skip


def test_an_attack_gives_records_of_the_schema() -> None:
    assert kinds_in(attack())["diagnostic"] > 10


@pytest.mark.parametrize(
    "change",
    [{"status": "200"}, {"framing": "guessed"}, {"record": "reply"}, {"headers": [["a"]]}],
)
def test_the_schema_refuses_what_is_no_record(change: dict[str, Any]) -> None:
    path = next(path for path in STORED if path.stem == "plain")
    lines = msgspec.json.Encoder().encode_lines(list(decode(BytesIO(path.read_bytes()))))
    response = next(line for line in map(json.loads, lines.splitlines()) if "status" in line)
    validator = Draft202012Validator(json.loads(SCHEMA.read_text()))
    assert validator.is_valid(response)
    assert not validator.is_valid(response | change)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_field_is_described(kind: type[Any]) -> None:
    """In the table of its kind, or in that of the fields that all have in common."""
    tables = {
        found[1]: found[2]
        for found in re.finditer(r"^## (.+)\n((?:(?!## ).*\n?)+)", PAGE.read_text(), re.M)
    }
    described = tables[f"`{kind.record}`"]
    if kind is not KINDS["connection"]:
        described += tables["What was sent"]
    for field in field_names(kind)[1:]:
        assert re.search(rf"^\| `{field}` \| [^|]+ \| \S[^|\n]+\. \|$", described, re.M), field


def test_a_field_without_a_docstring_is_refused() -> None:
    with pytest.raises(KeyError, match=r"Sent\.unknown has no docstring"):
        WRITTEN["meaning"](Sent, "unknown")


def test_they_are_written_beside_the_script(tmp_path: Path) -> None:
    copy = tmp_path / SCRIPT.name
    copy.write_text(SCRIPT.read_text())
    runpy.run_path(str(copy), run_name="__main__")
    assert (tmp_path / PAGE.name).read_text() == PAGE.read_text()
    assert (tmp_path / SCHEMA.name).read_text() == SCHEMA.read_text()
