"""wireproof: what a streaming HTTP API really put on the wire, packet by packet.

for record in wireproof.decode("capture.pcapng"):
    print(record.record, record.first_packet)

wireproof.open("capture.pcapng")  # in a notebook: its exchanges as a table
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike
    from typing import Any, BinaryIO

    from parsers.records import Record

__all__ = ["__version__", "decode"]
__version__ = "0.1.0"


def decode(
    source: str | PathLike[str] | BinaryIO,
    *,
    keep_data: bool = True,
    keylog: str | PathLike[str] | None = None,
    memory: int | None = None,
) -> Iterator[Record]:
    """Yield the records of a capture file, in the order in which its packets complete them.

    ``source`` is a path or a binary stream, of which only ``read`` is used; pcap and pcapng,
    plain or compressed. Without ``keep_data`` payloads are left out of the records; sizes and
    digests stay. ``keylog`` is the path of a key log with the secrets of its TLS connections (RFC
    9850), beside those that it holds itself. ``memory`` is how many bytes may be held for all
    connections together, 256 MiB unless told otherwise: beyond it those that hold most, or were
    idle for longest, are let go with a diagnostic.

    Raises OSError, and ValueError if it is no capture file.
    """
    from os import PathLike
    from pathlib import Path

    from parsers import KeyLog, decode_stream

    keys = None if keylog is None else KeyLog.open(keylog)

    if not isinstance(source, str | PathLike):
        yield from decode_stream(source, keep_data=keep_data, keylog=keys, memory=memory)
        return
    with Path(source).open("rb") as stream:
        yield from decode_stream(stream, keep_data=keep_data, keylog=keys, memory=memory)


def open(path: str | PathLike[str], *, keylog: str | PathLike[str] | None = None) -> Any:
    """Return a capture file for a notebook, a :class:`wireproof.notebook.Capture`.

    It shows itself as a table of exchanges, an exchange in it as its timeline; ``to_pandas()``,
    ``to_polars()`` and ``to_arrow()`` of either give the records. ``keylog`` is as for decode().
    Raises OSError, and ValueError if it is no capture file.
    """
    # Not in __all__: a star import must not take the built-in's name. By name, for whoever has the
    # name alone imports nothing else.
    from importlib import import_module

    return import_module(".notebook", __name__).open_capture(path, keylog=keylog)
