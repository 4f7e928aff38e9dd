"""``make verdicts``: every labelled capture explained, and compared with its truth.

Exit code 1 if any answer, cause or figure is wrong. A family is a module with ``concerns(truth)``
and ``check(truth)``; one that is not built yet is not listed.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from types import ModuleType

from . import endings, gaps, hops, latency, reconnect, streaming
from .outcome import Outcome
from .report import MATRIX, THRESHOLDS, put, report
from .thresholds import table
from .truth import Truth, read_truths

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "fixtures" / "verdicts"
FAMILIES: dict[str, ModuleType] = {
    "Streaming": streaming,
    "Endings": endings,
    "Gaps": gaps,
    "Reconnects": reconnect,
    "Hops": hops,
    "Latency": latency,
}


def compare(truths: list[Truth]) -> dict[str, list[Outcome]]:
    """Return the outcomes of each family."""
    return {
        name: [one for truth in truths if family.concerns(truth) for one in family.check(truth)]
        for name, family in FAMILIES.items()
    }


def page(text: str, found: dict[str, list[Outcome]]) -> str:
    """Return the text of the page with what was found, and with the thresholds of the source."""
    return put(put(text, MATRIX, report(found)), THRESHOLDS, table())


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks.verdicts", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER, metavar="DIR")
    parser.add_argument("--page", type=Path, help="write matrix and thresholds into this page")
    chosen = parser.parse_args()
    truths = read_truths(chosen.folder)
    if not truths:
        sys.exit(f"no *.truth.json in {chosen.folder}")
    found = compare(truths)
    text = report(found)
    print(text)
    if chosen.page:
        chosen.page.write_text(page(chosen.page.read_text(), found))
    sys.exit(any(one.is_wrong for outcomes in found.values() for one in outcomes))


if __name__ == "__main__":
    main()
