"""A capture's packets in order, and what its file says beside them."""

from __future__ import annotations

from io import BytesIO

from support.capture_files import Blocks, option
from support.talk import Talk

from parsers.decode.ordered_capture import OrderedCapture

COMMENT, NAME = 1, 2
"""Options of pcapng: opt_comment, and if_name of an interface."""


def test_what_a_file_says_of_interfaces_and_packets() -> None:
    blocks, talk = Blocks(), Talk().open()
    (first, *_), end = talk.tape.packets, option(0, b"")
    file = blocks.section(option(COMMENT, b"of the file") + end)
    file += blocks.interface(1, 65_535, option(NAME, b"eth7") + end)
    comment = option(COMMENT, b"of the first packet") + end
    file += blocks.enhanced(first[1] or 0, first[4], options=comment)
    opened = OrderedCapture(BytesIO(file))
    assert len(list(opened)) == 1
    assert [(one.name, one.snaplen) for one in opened.interfaces] == [("eth7", 65_535)]
    assert opened.comments == [(None, "of the file"), (1, "of the first packet")]
    assert opened.faults == []
