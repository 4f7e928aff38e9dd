"""Exchanges as files to take along, as ``decode``, ``export``, ``plot`` and ``report`` write them.

Strategy: nothing is written here in a way of its own. The packets that the index holds become a
capture file with the same numbers, and whoever writes such a file for the command line writes it
for the page; so a secret is masked by the same code, too. What decrypts TLS is in no file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from threading import Lock
from typing import Literal

from capture.pcapng_writer import PcapngWriter
from parsers.records import is_quic

from .. import __version__
from ..analysis.exchange_filter import ExchangeFilter, ExchangeNumber
from ..analysis.selection import Chosen, select
from ..export.run import ExportOptions
from ..export.run import run as export
from ..extras import lacks
from ..open_exchanges import Key
from ..redact import Policy, Redactor
from ..redact.capture import redact_capture
from ..views.ndjson import NdjsonView
from .index import Index
from .reporting import report_capture

Form = Literal["pcapng", "har", "ndjson", "png", "svg", "html"]
SNAPLEN = 262_144
DRAWING = Lock()
"""matplotlib's settings are the process's."""


class NotSaved(Exception):
    """Why there is no such file, in a sentence."""


def save(index: Index, keys: Collection[Key], form: Form, policy: Policy, folder: Path) -> Path:
    """Write exchanges to a file in ``folder``, return it; all but ``pcapng`` and ``html`` take one.

    ``policy`` says what is masked. Raises NotSaved, and OSError if there is no room.
    """
    if form not in ("pcapng", "html") and len(keys) != 1:
        raise NotSaved("one exchange goes into such a file")
    path = folder / f"{_stem(index.name)}-{_named(keys)}.{form}"
    try:
        WRITERS[form](index, keys, path, policy)
    except ValueError as error:
        raise NotSaved(str(error)) from error
    return path


def _stem(name: str) -> str:
    """Return a capture's name without its suffix, as every file system takes it."""
    stem = name.removesuffix(".gz").removesuffix(".zst")
    stem = stem.removesuffix(".pcapng").removesuffix(".pcap")
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in stem)[:80]


def _named(keys: Collection[Key]) -> str:
    if len(keys) > 1:
        return f"{len(keys)}-exchanges"
    (key,) = keys
    return f"c{key.connection}" if not key.exchange else f"c{key}"


def _write_pcapng(index: Index, keys: Collection[Key], path: Path, policy: Policy) -> None:
    """Write the packets of the exchanges' connections; those of QUIC are of no TCP connection."""
    connections = {-1 if is_quic(key.connection) else key.connection for key in keys}
    table = index.tracer.table
    numbers = [
        number
        for number in range(1, len(table) + 1)
        if number in table and max(table[number].connection, -1) in connections
    ]
    whole = path if policy == "none" else path.with_suffix(".whole")
    _write_packets(index, numbers, whole)
    if whole != path:
        redact_capture(str(whole), str(path), policy, _hear_nothing)


def _write_packets(index: Index, numbers: Iterable[int], path: Path) -> None:
    """Write packets in the order of their numbers; one that is none is empty."""
    with path.open("wb") as stream:
        writer = PcapngWriter(stream, version=__version__)
        interfaces: dict[int, int] = {}
        for packets in index.packets(numbers):
            for _, time_ns, link_type, length, data in packets:
                if link_type not in interfaces:
                    interfaces[link_type] = writer.add_interface(
                        f"link{link_type}", link_type=link_type, snaplen=SNAPLEN
                    )
                writer.add_packets(interfaces[link_type], [(time_ns or 0, data, length)])
            writer.flush()


def _write_whole(index: Index, path: Path) -> str:
    """Write all packets beside ``path``; return where."""
    whole = path.with_suffix(".whole.pcapng")
    _write_packets(index, range(1, len(index.tracer.table) + 1), whole)
    return str(whole)


def _wanted(keys: Collection[Key]) -> ExchangeFilter:
    (key,) = keys
    return ExchangeFilter(exchange=ExchangeNumber(key.exchange, key.connection))


def _write_har(index: Index, keys: Collection[Key], path: Path, policy: Policy) -> None:
    source = _write_whole(index, path)
    export(ExportOptions(source, "har", str(path), policy, _wanted(keys), keylog=index.key_log))


def _write_ndjson(index: Index, keys: Collection[Key], path: Path, policy: Policy) -> None:
    redactor = Redactor(policy)
    with path.open("wb") as stream:
        view = NdjsonView(stream)
        for record in select(index.records(), Chosen(keys)):
            view.write([redactor.redact(record)])


def _write_picture(form: Literal["png", "svg"]) -> Callable[..., None]:
    def write(index: Index, keys: Collection[Key], path: Path, policy: Policy) -> None:
        if lacking := lacks("plot"):
            names = ", ".join(map(str, lacking))
            raise NotSaved(f"a picture needs {names}: pip install 'wireproof[plot]'")
        from ..plot.figure import draw
        from ..plot.timeline import read_timeline

        source = _write_whole(index, path)
        timeline, _ = read_timeline(source, _wanted(keys), index.key_log)
        with DRAWING, path.open("wb") as stream:
            draw(timeline, stream, form)

    return write


def _write_report(index: Index, keys: Collection[Key], path: Path, policy: Policy) -> None:
    source = _write_whole(index, path)
    report_capture(
        source,
        str(path),
        policy,
        _hear_nothing,
        choice=Chosen(keys),
        name=index.name,
        keylog=index.key_log,
    )


def _hear_nothing(_: str) -> None:
    """What is said of the file is said of the whole capture, too."""


WRITERS: dict[Form, Callable[[Index, Collection[Key], Path, Policy], None]] = {
    "pcapng": _write_pcapng,
    "har": _write_har,
    "ndjson": _write_ndjson,
    "png": _write_picture("png"),
    "svg": _write_picture("svg"),
    "html": _write_report,
}
