"""Install the built wheel into other people's projects, old and new, and run their suites.

``python tests/guests [NAME ...]``: projects by name, ``oldest``, ``newest``, ``nobody`` and
``debian``, which is our own tests with the system's Python; without a name all of them, and the
newest with every Python that there is. Prints a table, in Markdown, and what went wrong; exits with
1 if something did.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import debian
from combinations import BESIDE, GUESTS, ROOT, Guest, newest
from pythons import SYSTEM, find_pythons, system_version
from visits import Visit, visit, visit_nobody

AT_ONCE = 2
"""Visits that are made at once: they wait for downloads, and for streams that are slow."""

COLUMNS = ("project", "Python", *BESIDE, "passed", "added", "MB", "s", "result")
HEAD = (f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}")
"""Of the table; ``added`` counts packages that wireproof has brought, MB is their size."""

Plan = Callable[[Path, Path], Visit]
"""Takes the wheel, and a folder for the visit."""


def main(names: Sequence[str]) -> int:
    """Visit projects and return the exit code."""
    pythons = find_pythons()
    plans = list(_plans(names, pythons))
    if not plans:
        print(f"none of {', '.join(names)} can be visited with Python {_versions(pythons)}")
        return 1
    with TemporaryDirectory(prefix="wireproof-guests-", ignore_cleanup_errors=True) as folder:
        wheel = _build(Path(folder))
        print("\n".join(HEAD), flush=True)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            made = [pool.submit(plan, wheel, _room(folder, n)) for n, plan in enumerate(plans)]
            visits = [_shown(future.result()) for future in made]
    failed = [found for found in visits if found.problem]
    for found in failed:
        print(f"\n{found.guest}, Python {found.python}: {found.problem}")
    print(f"\n{len(visits) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def _plans(names: Sequence[str], pythons: dict[tuple[int, int], str]) -> Iterator[Plan]:
    """Yield the visits that are wanted; say which cannot be made here."""
    first, last = min(pythons), max(pythons)
    for guest in GUESTS:
        if names and guest.name not in names and not ("oldest" in names and guest is GUESTS[0]):
            continue
        fitting = [v for v in pythons if guest.since <= v and (not guest.until or v <= guest.until)]
        if fitting:
            yield _plan(guest, fitting[-1], pythons)
        else:
            print(f"{guest.name} is left out: its pins have no wheels for {_versions(pythons)}")
    if not names:
        yield from (_plan(newest(), version, pythons) for version in pythons)
    elif "newest" in names:
        yield _plan(newest(), last, pythons)
    if not names or "nobody" in names:
        name = _name(first)
        yield lambda wheel, room: visit_nobody((name, pythons[first]), wheel, room)
    if not names or debian.NAME in names:
        version = system_version()
        if version is None:
            print(f"{debian.NAME} is left out: {SYSTEM} is no Python from 3.11 on")
        else:
            yield lambda wheel, room: debian.visit_debian(version, wheel, room)


def _plan(guest: Guest, version: tuple[int, int], pythons: dict[tuple[int, int], str]) -> Plan:
    python = _name(version), pythons[version]
    return lambda wheel, room: visit(guest, python, wheel, room)


def _build(folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _room(folder: str, number: int) -> Path:
    room = Path(folder, str(number))
    room.mkdir()
    return room


def _shown(found: Visit) -> Visit:
    """Print a row of the table, as soon as it is known."""
    versions = [found.versions.get(name, "") for name in BESIDE]
    cells = [found.guest, found.python, *versions, str(found.passed), str(len(found.added))]
    cells += [f"{found.added_size / 1e6:.1f}", f"{found.seconds:.0f}"]
    print(f"| {' | '.join([*cells, 'failed' if found.problem else 'ok'])} |", flush=True)
    return found


def _name(version: tuple[int, int]) -> str:
    return "{}.{}".format(*version)


def _versions(pythons: dict[tuple[int, int], str]) -> str:
    return ", ".join(map(_name, pythons))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
