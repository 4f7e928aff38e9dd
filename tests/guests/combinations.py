"""The projects that are visited: what each has pinned, as projects of its time had.

``OLDEST`` pins our own dependencies too, at their lower bounds in pyproject.toml: that they are
enough is what its suite shows. ``newest`` has what constraints.txt has.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
BESIDE = ("fastapi", "starlette", "uvicorn", "pydantic", "pytest", "anyio")
"""What the table shows: the versions beside which wireproof was."""
NEWEST = (
    *BESIDE, "click", "httpx", "pytest-asyncio", "pytest-cov", "pytest-xdist", "sse-starlette",
    "websockets",
)  # fmt: skip

LOOP_SCOPE = ("-o", "asyncio_default_fixture_loop_scope=function")
"""What pytest-asyncio wants to be told from 0.24 on."""

Version = tuple[int, int]


class Guest(NamedTuple):
    """A project, with the Pythons that its pins have wheels for."""

    name: str
    since: Version
    until: Version | None
    pins: dict[str, str]
    options: tuple[str, ...] = ()
    """Of pytest."""


def pinned(text: str) -> dict[str, str]:
    """Return names and versions of ``name==version`` words."""
    return dict(word.split("==", 1) for word in text.split())


OLDEST = pinned("""
    fastapi==0.100.0 starlette==0.27.0 uvicorn==0.23.0 pydantic==1.10.12 anyio==3.7.0
    pytest==7.4.0 pluggy==1.0.0 pytest-asyncio==0.21.0 pytest-cov==4.1.0 pytest-xdist==3.3.1
    httpx==0.24.1 sse-starlette==1.6.1 websockets==11.0.3
    brotli==1.0.9 click==8.0.2 msgspec==0.17.0 rich==12.3.0 zstandard==0.19.0
""")
GUESTS = (
    Guest("2023-07", (3, 11), (3, 11), OLDEST),
    Guest("2023-12", (3, 11), (3, 12), pinned("""
        fastapi==0.105.0 starlette==0.27.0 uvicorn==0.24.0.post1 pydantic==2.5.3 anyio==3.7.1
        pytest==7.4.3 pytest-asyncio==0.23.2 pytest-cov==4.1.0 pytest-xdist==3.5.0
        httpx==0.25.2 sse-starlette==1.8.2 websockets==12.0 click==8.1.7 rich==13.7.0
    """)),
    Guest("2024-08", (3, 11), (3, 12), pinned("""
        fastapi==0.112.0 starlette==0.37.2 uvicorn==0.30.5 pydantic==2.8.2 anyio==4.4.0
        pytest==8.3.2 pytest-asyncio==0.23.8 pytest-cov==5.0.0 pytest-xdist==3.6.1
        httpx==0.27.0 sse-starlette==2.1.3 websockets==12.0 click==8.1.7 rich==13.7.1
    """)),
    Guest("2025-01", (3, 11), (3, 13), pinned("""
        fastapi==0.115.6 starlette==0.41.3 uvicorn==0.34.0 pydantic==2.10.4 anyio==4.7.0
        pytest==8.3.4 pytest-asyncio==0.25.0 pytest-cov==6.0.0 pytest-xdist==3.6.1
        httpx==0.28.1 sse-starlette==2.2.1 websockets==14.1 click==8.1.8 rich==13.9.4
    """), LOOP_SCOPE),
    Guest("2025-10", (3, 11), (3, 14), pinned("""
        fastapi==0.119.1 starlette==0.48.0 uvicorn==0.38.0 pydantic==2.12.3 anyio==4.11.0
        pytest==8.4.2 pytest-asyncio==1.2.0 pytest-cov==7.0.0 pytest-xdist==3.8.0
        httpx==0.28.1 sse-starlette==3.0.2 websockets==15.0.1 click==8.3.0 rich==14.2.0
    """), LOOP_SCOPE),
)  # fmt: skip


def newest() -> Guest:
    """Return the project that has what is developed with."""
    pins = pinned((ROOT / "constraints.txt").read_text())
    return Guest("newest", (3, 11), None, {name: pins[name] for name in NEWEST}, LOOP_SCOPE)


def lower_bounds() -> dict[str, str]:
    """Return the lowest version of each library that the base install depends on."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return dict(requirement.split(">=") for requirement in project["dependencies"])
