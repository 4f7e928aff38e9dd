"""What all kinds of masks share: which of them are told what a packet holds."""

from __future__ import annotations

from contextlib import closing

import pytest
from support.attack import request
from support.frames import fragments
from support.talk import Talk

from wireproof.redact.frames import FrameMasks
from wireproof.redact.masked_frames import MaskedFrames
from wireproof.redact.rules import Rules
from wireproof.redact.structure.frames import StructureMasks

KEY = "sk-proj-abcdefghijklmnop"


@pytest.mark.parametrize("policy", ["all", "structure"])
def test_checksums_of_fragments_are_those_of_the_copy(policy: str) -> None:
    talk = Talk().open()
    for part in fragments(talk.frame("client", request(f"/{KEY}")), 16):
        talk.tape.add(part)
    structural = StructureMasks(Rules("structure"))
    masks: MaskedFrames = structural if policy == "structure" else FrameMasks("all")
    with closing(structural):
        masks.add(talk.tape.packets)
        masks.end()
        assert masks.needs_sums
        masks.begin_sums()
        masks.sum_up(talk.tape.packets)
        talk.tape.packets = [(*one[:4], masks.masked(one)) for one in talk.tape.packets]
    found = talk.tape.records()
    (asked,) = [one for one in found if one.record == "request"]
    assert asked.target == "/" + "*" * len(KEY)
    assert not [one for one in found if one.record == "diagnostic"]


def test_a_place_is_hidden() -> None:
    talk = Talk().open()
    number = talk.client(request("/"))
    masks = FrameMasks("all")
    masks.add(talk.tape.packets)
    masks.end()
    masks.hide(number, 54, 57)
    assert masks.masked(talk.tape.packets[number - 1])[54:58] == b"*** "
