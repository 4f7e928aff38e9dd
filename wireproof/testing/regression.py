"""A test's exchanges beside a baseline that is kept in the repository."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ..extras import lacks
from .captures import Capture
from .faults import WireFailure

if TYPE_CHECKING:
    from ..diff.profile import Profile


def check(captures: Sequence[Capture], baseline: Path, *, update: bool) -> None:
    """Fail if the exchanges of captures are worse than a baseline, if there is none, or if none of
    its requests was made.

    With ``update`` they become the baseline.
    """
    if lacking := lacks("parquet"):
        names = ", ".join(map(str, lacking))
        raise WireFailure(f"baselines need {names}: pip install 'wireproof[parquet]'")
    from ..diff.compare import compare, is_comparison
    from ..diff.profile import decoded, encoded
    from ..views.changes import ending, places, sentence

    after = _profile(captures)
    if update:
        baseline.parent.mkdir(parents=True, exist_ok=True)
        baseline.write_bytes(encoded(after))
        return
    if not baseline.exists():
        raise WireFailure(f"no baseline {baseline}: --wire-update writes it")
    changes = compare(decoded(baseline.read_bytes()), after)
    regressions = (one for one in changes if one.answer == "regression")
    worse = ["\n  ".join([sentence(one), *places(one)]) for one in regressions]
    if worse or not is_comparison(changes):
        raise WireFailure("\n".join([ending(changes), *worse]))


def _profile(captures: Sequence[Capture]) -> Profile:
    from ..diff.reading import profile_of

    with TemporaryDirectory(prefix="wireproof-") as folder:
        paths = []
        for number, capture in enumerate(captures):
            path = Path(folder) / f"capture-{number}.pcapng"
            with capture.open() as stream, path.open("wb") as copy:
                copyfileobj(stream, copy)
            paths.append(str(path))
        return profile_of(paths)
