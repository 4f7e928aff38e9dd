"""Fill the pages' quoted output anew from stored captures: ``python docs/outputs.py``.

A comment before a fence names the command, and the lines of its output that are shown::

    <!-- wireproof decode fixtures/sse/plain.pcapng --format table | lines 13-15, 26- -->

Between two runs of lines stands ``...``. A command is run as a user would in the repository's root,
but that its width is fixed; captures are stored, so the same comes out on every machine.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
WIDTH = 100
MARK = "<!-- wireproof "
BLOCK = re.compile(
    rf"^{MARK}(?P<command>[^|\n]+?) \| lines (?P<lines>[\d, -]+) -->\n```text\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@cache
def output(command: str) -> list[str]:
    """Return the lines that ``wireproof COMMAND`` prints to standard output."""
    environment = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
    ran = subprocess.run(
        [sys.executable, "-m", "wireproof", *shlex.split(command)],
        cwd=ROOT,
        env=environment | {"COLUMNS": str(WIDTH), "NO_COLOR": "1", "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
    )
    if ran.returncode not in (0, 1):  # 1: done, and the answer is no
        raise ValueError(f"wireproof {command}: {ran.stderr}")
    return ran.stdout.rstrip("\n").splitlines()


def cut(lines: list[str], wanted: str) -> list[str]:
    """Return runs of lines, counted from 1, with ``...`` between them: ``3-5, 9, 12-``.

    A run that holds no line raises ValueError: the output has become shorter.
    """
    found: list[str] = []
    for run in wanted.split(","):
        first, dash, last = run.strip().partition("-")
        shown = lines[int(first) - 1 : int(last or len(lines)) if dash else int(first)]
        if not shown:
            raise ValueError(f"lines {run.strip()}: the output has {len(lines)}")
        if found:
            indent = len(shown[0]) - len(shown[0].lstrip())
            found.append(" " * indent + "...")
        found += shown
    return found


def filled(page: str) -> str:
    """Return a page with each marked block as its command prints it now; raise ValueError for a
    mark that no block follows."""

    def fill(block: re.Match[str]) -> str:
        lines = cut(output(block["command"]), block["lines"])
        head = block[0][: block.start("text") - block.start()]
        return head + "".join(f"{line.rstrip()}\n" for line in lines) + "```"

    if page.count(MARK) != len(BLOCK.findall(page)):
        raise ValueError("a mark is not followed by a block: ```text")
    return BLOCK.sub(fill, page)


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(filled(path.read_text()))
