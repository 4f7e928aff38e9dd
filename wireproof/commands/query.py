"""``wireproof query``: SQL over captures and data sets."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..output import format_by_ending
from .choosing import key_log
from .exits import Unreadable, because, called, examples, need, say
from .memory import MEMORY
from .parsing import parses
from .redaction import redaction_options
from .spreading import need_stores, needs_network, stores

if TYPE_CHECKING:
    from ..redact import Rules


@click.command(
    short_help="Query captures and data sets in SQL.",
    epilog=examples(
        "wireproof query --list",
        "wireproof query dataset/ --name held-streams",
        "wireproof query capture.pcapng 'SELECT target, first_token FROM exchanges'",
        "wireproof query 'rings/*.pcapng' --name worst-gaps --format json",
        "wireproof query dataset/ --file report.sql -o report.csv",
    ),
)
@parses("pyarrow", "duckdb", unless=needs_network)
@MEMORY
@click.argument("given", metavar="[DATASET|FILE]... [SQL]", nargs=-1)
@click.option("--file", "script", metavar="QUERY.sql", help="Read the query from this file.")
@click.option("--name", metavar="NAME", help="Run a named query; --list shows them.")
@click.option("--list", "is_list", is_flag=True, help="List the named queries and exit.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("table", "csv", "json", "parquet")),
    help="Default: as OUT's suffix says, else table.",
)
@click.option("-o", "--output", metavar="OUT", help="Write to this file.")
@click.option("--data", is_flag=True, help="Captures: include the payloads of elements.")
@click.option("--packets", is_flag=True, help="Captures: include the table of packets.")
@click.option("--keylog", metavar="KEYS", help="Captures: decrypt TLS with this key log.")
@redaction_options
def query(
    given: tuple[str, ...],
    script: str | None,
    name: str | None,
    is_list: bool,
    form: str | None,
    output: str | None,
    data: bool,
    packets: bool,
    keylog: str | None,
    policy: Rules,
) -> int:
    """Query the content of captures in DuckDB's SQL.

    The tables are exchanges, elements, verdicts, diagnostics, connections and, with --packets,
    packets; "DESCRIBE exchanges" shows the columns. A data set is the output of "wireproof export
    FILE... -o DIR/"; captures are read for this one query. SQL is the last argument unless
    --file or --name gives the query. Secrets in known header fields are masked.
    What cannot be read is named and left out, and the exit code is 1.
    """
    if is_list:
        _list()
        return 0
    sources, sql = _parts(given, script, name)
    need("query", "query")
    need_stores(sources)
    from ..query.asking import ENDINGS, QueryOptions, run

    try:
        form = form or format_by_ending(output, ENDINGS, "table")
    except ValueError as error:
        raise Unreadable(because(called(output), error)) from error
    if form == "parquet" and output in (None, "-") and sys.stdout.isatty():
        raise Unreadable("Parquet is not for a terminal: name a file with -o")
    from ..tables.kinds import KINDS, USUAL
    from ..tables.places import NothingToRead
    from ..tables.reading import TableOptions

    kinds = KINDS if packets else USUAL
    tables = TableOptions(kinds, policy, data, keylog=key_log(keylog))
    try:
        with stores(sources):
            asked = run(QueryOptions(sources, sql, form, output, tables), say)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Unreadable(because(called(output), error)) from error
    except NothingToRead as error:
        raise Unreadable(str(error)) from error
    except ValueError as error:
        raise Unreadable(because("query", error)) from error
    if not asked.rows and form == "table":
        say("query: no rows")
    return 1 if asked.left_out else 0


def _parts(
    given: tuple[str, ...], script: str | None, name: str | None
) -> tuple[tuple[str, ...], str]:
    """Return what is asked, and the query."""
    context = click.get_current_context()
    if script is not None and name is not None:
        raise click.UsageError("give --file or --name, not both", context)
    sources, sql = given, ""
    if script is not None:
        try:
            sql = Path(script).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise Unreadable(f"{script}: a query must be text in UTF-8") from error
        except OSError as error:
            raise Unreadable(because(script, error)) from error
    elif name is not None:
        sql = _named(name)
    elif given:
        sources, sql = given[:-1], given[-1]
    if not sources:
        raise click.UsageError("name a data set or captures, and a query", context)
    if not sql.strip():
        wanted = "add the SQL after the captures or data sets, or give --file or --name"
        raise click.UsageError(
            f"the query{f' in {script}' * bool(script)} is empty: {wanted}", context
        )
    return sources, sql


def _named(name: str) -> str:
    from ..query.named import NAMED

    if name not in NAMED:
        known = ", ".join(NAMED)
        context = click.get_current_context()
        raise click.UsageError(f"{name!r} is not a named query: expected {known}", context)
    return NAMED[name].sql


def _list() -> None:
    from ..query.named import NAMED

    width = max(map(len, NAMED))
    for name, query in NAMED.items():
        click.echo(f"{name:<{width}}  {query.question}")
