"""What a view is shown on, and what of it is wanted: what each of them is opened with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, TextIO

from msgspec import Struct

if TYPE_CHECKING:
    from ..dialects.reader import Readers


class Target(Struct, frozen=True):
    """What a view is shown on, and what of it is wanted."""

    stream: Callable[[], BinaryIO]
    """Opens the output for bytes."""
    text: Callable[[], TextIO]
    """Opens the output for text; one of the two is called, once."""
    source: str = "FILE"
    """Names the capture in messages."""
    filters: bool = False
    """Whether each element is followed by the display filter that selects it."""
    connection: int | None = None
    keep_data: bool = True
    shows_records: bool = False
    readers: Readers | None = None
    """What the rows show of an element; None: what it says in its dialect."""
