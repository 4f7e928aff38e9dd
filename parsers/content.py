"""Content codings and transfer codings undone, within bounds (RFC 9110 section 8.4.1).

Strategy: one coder for each coding, in a chain, each a generator of bounded pieces: a coder is
asked for the next piece only when the piece before it has gone through the whole chain, so a bomb
never stands in memory. Where one coder stops, all do. Each coder's output is counted against the
bytes that came over the wire: past MAX_DECODED_RATIO it stops.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .codings.brotli_coder import BrotliCoder, UnboundedBrotliCoder, bounds_output, brotli_window
from .codings.coder import Coder, Fault
from .codings.zlib_coders import DeflateCoder, GzipCoder
from .codings.zstd_coder import ZstdCoder
from .limits import (
    MAX_CODINGS,
    MAX_DECODED_FREE,
    MAX_DECODED_RATIO,
    MAX_DECODED_SHARE,
    MAX_DECODED_STEP,
    USUAL_RATIO,
)
from .memory import Memory

CODERS: dict[str, type[Coder]] = {
    "br": BrotliCoder if bounds_output() else UnboundedBrotliCoder,
    "deflate": DeflateCoder,
    "gzip": GzipCoder,
    "x-gzip": GzipCoder,
    "zstd": ZstdCoder,
}


class ContentDecoder:
    """Undo ``codings``, in this order: names in lower case, as heads give them.

    At a coding that is not known the chain ends: what the codings before it gave is given.
    """

    def __init__(self, codings: Sequence[str], memory: Memory | None = None) -> None:
        self._memory = Memory() if memory is None else memory
        self.faults: list[Fault] = []
        """Codes and details of what was wrong; the owner takes them (:meth:`take_faults`)."""
        self._received = 0
        self._has_stopped = self._begun = False
        self._coders: list[Coder] = []
        for coding in codings:
            if coding == "identity":
                continue
            if coding not in CODERS:
                self.faults.append(("content-coding-unknown", repr(coding)))
                break
            if len(self._coders) == MAX_CODINGS:
                detail = f"more than {MAX_CODINGS} codings over one another"
                self.faults.append(("content-coding-limit", detail))
                break
            self._coders.append(CODERS[coding](coding, self.faults))
        self.undoes_all = not self.faults
        """Whether no coding is left on what is given: all are known, and not too many."""
        self.undoes_any = bool(self._coders)
        """Whether what is given is not what came."""

    def receive_data(self, data: bytes) -> Iterator[bytes]:
        """Yield what ``data`` decodes to, in pieces of at most MAX_DECODED_STEP bytes.

        All that it yields must be taken before the next call.
        """
        self._received += len(data)
        self._memory.folded += len(data)
        if self._coders:
            if not self._begun and self._memory.unfolds_too_much and self._is_wide(data):
                self.stop(self._memory.unfolded_text)
            self._begun = True
            yield from self._through(0, data)
            if any(coder.stopped for coder in self._coders):
                self._release()
        elif not self._has_stopped:
            for start in range(0, len(data), MAX_DECODED_STEP):
                yield data[start : start + MAX_DECODED_STEP]

    def finish(self) -> None:
        """Note the faults of content that ends here. No coding holds anything back till then."""
        for coder in self._coders:
            if not any(coder.stopped for coder in self._coders):
                coder.finish()

    def stop(self, detail: str) -> None:
        """Give nothing more: what was decoded is more than its owner takes."""
        self._coders[-1].stop("content-coding-limit", detail)

    @property
    def held(self) -> int:
        """The bytes charged for its coders."""
        return sum(coder.held for coder in self._coders)

    def take_faults(self) -> list[Fault]:
        """Return the faults since the last call."""
        taken = self.faults[:]
        self.faults.clear()
        return taken

    def _is_wide(self, data: bytes) -> bool:
        """Whether the first of ``data`` may make the library do much before it gives anything."""
        coder = self._coders[0]
        return isinstance(coder, BrotliCoder) and brotli_window(data[0]) > MAX_DECODED_FREE

    def _release(self) -> None:
        """Keep no coder: where one has stopped, nothing comes out of the chain any more."""
        for coder in self._coders:
            if coder.stopped and isinstance(coder, BrotliCoder):
                self._memory.unfolded += coder.window  # what it may have made unseen
        self._coders.clear()
        self._has_stopped = True

    def _through(self, index: int, data: bytes) -> Iterator[bytes]:
        if index == len(self._coders):
            yield data
            return
        coder = self._coders[index]
        for piece in coder.receive_data(data):
            coder.decoded += len(piece)
            self._memory.unfolded += len(piece)
            if fault := self._excess(coder):
                coder.stop("content-coding-limit", fault)
                return
            yield from self._through(index + 1, piece)
            if any(coder.stopped for coder in self._coders):
                return

    def _excess(self, coder: Coder) -> str:
        """Return what is too much of what a coder has given; empty if nothing is.

        Bodies that unfold as text does are not stopped for the sake of others.
        """
        received = self._received
        if coder.decoded > MAX_DECODED_FREE + MAX_DECODED_RATIO * received:
            return f"{coder.decoded:,} bytes out of {received:,}"
        if coder.decoded > MAX_DECODED_SHARE + USUAL_RATIO * received:
            return self._memory.unfolded_text if self._memory.unfolds_too_much else ""
        return ""
