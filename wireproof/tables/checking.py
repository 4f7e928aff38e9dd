"""Whether the files of a data set are as they were written: what their manifests say of them.

Strategy: sizes tell what was lost or cut, and cost a listing of each table, whatever they hold. A
digest tells the rest, and costs as much as reading all of it: it is asked for.
"""

from __future__ import annotations

from contextlib import ExitStack
from hashlib import sha256

from .kinds import Kind
from .parts import Part, Written
from .stores import Place

PIECE = 1 << 20
"""Bytes of a file that are read at once."""


class Checking:
    """Looks at the files of parts; of each table it lists them once."""

    def __init__(self, place: Place, *, thoroughly: bool = False) -> None:
        self._place = place
        self._thoroughly = thoroughly
        self._sizes: dict[Kind, dict[str, int]] = {}

    def fault(self, name: str, part: Part) -> str:
        """Return what is wrong with the files of a part, an empty string if nothing is. Raises
        OSError."""
        found = (self._fault(kind, name, part.files.get(kind)) for kind in part.kinds)
        return next(filter(None, found), "")

    def _fault(self, kind: Kind, name: str, written: Written | None) -> str:
        if kind not in self._sizes:
            self._sizes[kind] = self._place.sizes(kind, ".parquet")
        return self._said(f"{kind}/{name}.parquet", self._sizes[kind].get(name), written)

    def _said(self, file: str, size: int | None, written: Written | None) -> str:
        if size is None:
            return f"{file} is missing"
        if written is None:  # of a version that did not say
            return ""
        if size != written.size:
            return f"{file} has {size:,} bytes, of {written.size:,} that were written"
        return self._read(file, written.sha256) if self._thoroughly else ""

    def _read(self, file: str, digest: str) -> str:
        """Return what is wrong with a file's bytes; one that may not be read is as good as lost."""
        try:
            found = self._digest(file)
        except PermissionError as error:
            return f"{file} cannot be read ({error.strerror or error})"
        return "" if found == digest else f"{file} has other bytes than were written"

    def _digest(self, file: str) -> str:
        found = sha256()
        with ExitStack() as stack:
            stream = self._place.open(file, stack)
            while piece := stream.read(PIECE):
                found.update(piece)
        return found.hexdigest()


def is_whole(place: Place, name: str, part: Part) -> bool:
    """Whether the files of one part have the sizes that they were written with. Raises OSError."""
    for kind in part.kinds:
        size, written = place.size(f"{kind}/{name}.parquet"), part.files.get(kind)
        if size is None or (written is not None and size != written.size):
            return False
    return True
