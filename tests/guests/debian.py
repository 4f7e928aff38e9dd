"""Debian's own Python, and a user without rights: our tests of what its library reads otherwise.

Debian 12 has Python 3.11.2, of whose expressions, archives and rights newer ones know nothing. A
copy of this checkout is tested with it by nobody in particular.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from time import monotonic

from combinations import ROOT
from environment import Environment, Failed
from pythons import SYSTEM
from visits import Visit

NAME = "debian"
NOBODY = 65_534
"""The number of the user that owns nothing."""
TESTS = (
    "tests/parsers/json_lines",
    "tests/parsers/grpc_web",
    "tests/parsers/http1",
    "tests/parsers/test_expressions.py",
    "tests/wireproof/redact",
    "tests/wireproof/text",
    "tests/test_guests.py",
)
QUICK = "not (slow or packets or namespaces or redirects or browser or tshark or tool)"


def visit_debian(version: str, wheel: Path, folder: Path) -> Visit:
    """Run the tests with the system's Python."""
    start = monotonic()
    passed, problem = 0, ""
    try:
        environment = Environment(folder / "venv", SYSTEM)
        environment.install("--constraint", ROOT / "constraints.txt", f"{wheel}[dev]")
        passed = _run_tests(environment, folder)
    except Failed as failure:
        problem = str(failure)
    return Visit(NAME, version, {}, {}, 0, passed, problem, monotonic() - start)


def _run_tests(environment: Environment, folder: Path) -> int:
    checkout, home = folder / "checkout", folder / "home"
    shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    home.mkdir()
    if os.geteuid() == 0:
        folder.parent.chmod(0o711)  # whoever has made it is alone in it
        os.chown(home, NOBODY, NOBODY)
    options = ("-q", "-n", "2", "-p", "no:cacheprovider", "--basetemp", home / "tmp", "-m", QUICK)
    pytest = ("-m", "pytest", *options, *TESTS)
    told = environment.run("python", *pytest, cwd=checkout, user=_user(), home=home)
    found = re.search(r"(\d+) passed", told)
    if found is None:
        raise Failed(f"no test has passed:\n{told}")
    return int(found[1])


def _user() -> int | None:
    """Return who runs the tests; None for whoever runs this, who is no more than a user."""
    return NOBODY if os.geteuid() == 0 else None
