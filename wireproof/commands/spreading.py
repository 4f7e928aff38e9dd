"""The options that say which files are one capture, and who makes a data set of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from .exits import Unreadable, need

C = TypeVar("C", bound=Callable[..., Any])
OUR_OWN = ("builtins", "click", "parsers", "wireproof")
"""Whose errors are known where they are raised, or are faults of ours."""


def spreading_options(command: C) -> C:
    """Give a command the options of a data set; it gets them by name."""
    options = (
        click.option(
            "--host",
            metavar="NAME",
            help="Data set: host name of the captures, instead of the one their file names give.",
        ),
        click.option(
            "--merge",
            is_flag=True,
            help="Data set: treat all FILEs as one stream of packets,"
            " ordered by time: several recorders of one host.",
        ),
        click.option(
            "--separate",
            is_flag=True,
            help="Data set: treat each file as a capture of its own, even files of a ring.",
        ),
        click.option(
            "--workers",
            type=click.IntRange(0, 512),
            default=0,
            metavar="N",
            help="Data set: use N Dask processes on this machine.",
        ),
        click.option(
            "--jobs",
            type=click.IntRange(min=1),
            metavar="N",
            help="Data set: use up to N processes without Dask, at most one per core; the output "
            "is the same. By default one per core, up to 8, if FILEs exceed 20 MB in total, "
            "otherwise one.",
        ),
        click.option(
            "--check",
            is_flag=True,
            help="Data set: read all of its files and make changed ones again; without it, only "
            "file sizes are checked.",
        ),
        click.option(
            "--scheduler",
            metavar="ADDRESS",
            help="Data set: use the workers of this Dask scheduler: tcp://HOST:PORT.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def need_stores(places: Iterable[str]) -> None:
    """Go on only if the libraries are there that places need which are URLs."""
    urls = [place for place in places if "://" in place]
    if urls:
        need("fleet", "a URL")
    if any(url.startswith("s3://") for url in urls):
        need("s3", "s3://")


@contextmanager
def stores(places: Iterable[str | None]) -> Iterator[None]:
    """Make one line of what a store's own library raises: each has errors of its own.

    Raises Unreadable where places are URLs and an error is neither Python's nor ours.
    """
    urls = [place for place in places if place is not None and "://" in place]
    try:
        yield
    except Exception as error:
        if not urls or type(error).__module__.partition(".")[0] in OUR_OWN:
            raise
        said = " ".join(str(error).split()) or type(error).__name__
        raise Unreadable(f"{', '.join(urls)}: {said}") from error


def needs_network(values: Mapping[str, object]) -> bool:
    """Whether captures or a data set lie elsewhere, or others make it: then the right to connect,
    and to start programs as they are, is kept."""
    places: list[object] = [values.get("output")]
    for name in ("files", "given"):
        found = values.get(name)
        places += found if isinstance(found, tuple) else []
    has_url = any(isinstance(place, str) and "://" in place for place in places)
    return has_url or bool(values.get("workers") or values.get("scheduler"))
