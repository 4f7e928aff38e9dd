"""Which tests ``make check`` runs: those of what changed; all where that cannot be told.

X/Y.py is tested by tests/X/test_Y.py, or else by the tests in tests/X, or in the folder above. What
is no part of a package (a fixture, the build, what tests share) may break any test. Changed is what
differs from where the branch left main, committed or not; on a clean main nothing is, and all
tests run.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
TESTED = frozenset({"parsers", "capture", "server", "wireproof", "docs"})
ALL = PurePosixPath("tests")


def modules_for(changed: Iterable[str], root: Path = ROOT) -> list[str]:
    """Return the modules and folders of tests that belong to changed files, for pytest.

    Paths are those of git: below ``root``, with slashes.
    """
    found = {_module_for(PurePosixPath(path), root) for path in changed} or {ALL}
    return sorted(str(path) for path in found if not found & set(path.parents))


def _module_for(path: PurePosixPath, root: Path) -> PurePosixPath:
    if path.parts[0] == "tests" and path.name.startswith("test_"):
        return path if (root / path).exists() else path.parent
    if path.parts[0] not in TESTED:
        return ALL / "docs" if path.suffix == ".md" else ALL
    module = ALL / path.parent / f"test_{path.stem}.py"
    nearest = (folder for folder in (module, *module.parents) if (root / folder).exists())
    return next(nearest, ALL)


def changed_files(root: Path = ROOT) -> list[str]:
    """Return what differs from where this branch left main; everything if git cannot tell."""
    base = next(filter(None, (_git(root, "merge-base", "HEAD", main) for main in MAINS)), ["HEAD"])
    return _git(root, "diff", "--name-only", *base) + _git(
        root, "ls-files", "--others", "--exclude-standard"
    )


MAINS = ("origin/main", "main")


def _git(root: Path, *arguments: str) -> list[str]:
    """Return the lines that git prints, none where it fails: there may be no repository."""
    ended = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True)
    return ended.stdout.splitlines() if ended.returncode == 0 else []


if __name__ == "__main__":
    print(*modules_for(changed_files()))
