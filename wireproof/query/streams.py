"""The view ``streams``: exchanges, joined where a recorder began another file in their midst.

Strategy: a file that is exported by itself ends in the midst of streams, whose connections are
``open`` there, and the next one begins in the midst, which is ``midstream``. Between the same ends,
on the same host, these are pieces of one stream, in the order of their times. So pieces are found
by what is in the tables already, whoever wrote the files and whenever they were exported. An
element that lies across a border is counted in either piece, in both or in none. Times of a rest
count from its own beginning, for it has no request: the first element's is told from the request in
the first piece.

Only files that one recorder numbered one after the other have no time between them. Between others
nothing was recorded from the last packet of the one to the first packet of the other: whatever its
pieces look like, a stream that lacks that is neither known to have streamed nor to be whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..tables.files import turn_of

ENDS = "host, least(client, server), greatest(client, server)"
"""A connection by its ends: of a rest without a request it is a guess which is the server."""
IN_TURN = f"PARTITION BY {ENDS} ORDER BY start_time, capture, exchange"
RANKS = "'undecided', 'streamed', 'client-slow', 'header-held', 'stepped', 'bursty', 'held'"
"""What may be said of how pieces streamed, the worst last; any other word is worse."""
STREAMS = f"""
CREATE VIEW streams AS
WITH pieces AS (
    SELECT exchanges.*, connections.last_time AS last_time, ended_by, asked,
        midstream AND exchange = 0 AND method IS NULL AS is_rest,
        close = 'open' AND exchange = max(exchange) OVER (
            PARTITION BY capture_sha256, capture, connection) AS goes_on,
        recorder, turn, began, over
    FROM exchanges JOIN (
        SELECT capture_sha256, capture, connection, midstream, close, last_time,
            min(first_time) OVER of_capture AS began, max(last_time) OVER of_capture AS over
        FROM connections WINDOW of_capture AS (PARTITION BY capture_sha256, capture)
    ) AS connections USING (capture_sha256, capture, connection)
    LEFT JOIN (
        SELECT capture_sha256, capture, connection, exchange,
            max(ended_by) FILTER (record = 'body' AND sender = 'server') AS ended_by,
            max(last_time) FILTER (record = 'request') AS asked
        FROM elements WHERE record IN ('body', 'request') GROUP BY ALL
    ) AS ends USING (capture_sha256, capture, connection, exchange)
    LEFT JOIN ring_files USING (capture)
), beside AS (
    SELECT *, is_rest AND lag(goes_on, 1, false) OVER in_turn AS is_joined,
        start_time + coalesce(first, 0)
            - lag(CASE WHEN last IS NOT NULL OR count = 0
                THEN coalesce(asked, start_time) + coalesce(last, 0) END) OVER in_turn AS waited,
        CASE WHEN recorder = lag(recorder) OVER in_turn AND turn = lag(turn) OVER in_turn + 1
            THEN NULL ELSE began - lag(over) OVER in_turn END AS missed
    FROM pieces WINDOW in_turn AS ({IN_TURN})
), numbered AS (
    SELECT *, sum(CASE WHEN is_joined THEN 0 ELSE 1 END) OVER ({IN_TURN}) AS stream FROM beside
), joined AS (
    SELECT min(host) AS host, arg_min(client, start_time) AS client,
        arg_min(server, start_time) AS server, arg_min(method, start_time) AS method,
        arg_min(target, start_time) AS target, arg_min(status, start_time) AS status,
        arg_min(transport, start_time) AS transport,
        count(*) AS pieces, list(capture ORDER BY start_time) AS captures,
        min(start_time) AS start_time, max(last_time) - min(start_time) AS seconds,
        sum(missed) FILTER (is_joined AND missed > 0) AS between_files,
        coalesce(
            arg_min_null(first, start_time),
            CASE WHEN between_files IS NULL AND sum(numbered.not_recorded) IS NULL
                THEN min(start_time + first) - arg_min_null(asked, start_time) END
        ) AS first, arg_min(first_token, start_time) AS first_token,
        sum(count)::BIGINT AS count,
        max(greatest(longest_gap, CASE WHEN is_joined AND coalesce(missed, 0) <= 0 THEN waited END))
            AS longest_gap,
        nullif(coalesce(between_files, 0) + coalesce(sum(not_recorded), 0), 0) AS not_recorded,
        list(verdict ORDER BY
            CASE verdict WHEN '' THEN 0 ELSE coalesce(list_position([{RANKS}], verdict), 99) END
            DESC, start_time)[1] AS worst,
        arg_max(CASE WHEN is_rest AND numbered.end = '' THEN CASE
            WHEN ended_by IN ('last-chunk', 'content-length', 'end-stream') THEN 'whole'
            WHEN ended_by = 'capture-end' THEN 'open' ELSE '' END
        ELSE numbered.end END, start_time) AS last_end,
        between_files IS NOT NULL OR arg_min(is_rest, start_time) AS lacks,
        min(time) AS time
    FROM numbered GROUP BY {ENDS}, stream
)
SELECT * EXCLUDE (worst, last_end, lacks, between_files, time),
    CASE WHEN lacks AND worst = 'streamed' THEN 'undecided' ELSE worst END AS verdict,
    CASE WHEN lacks AND last_end = 'whole' THEN 'unknowable' ELSE last_end END AS end,
    time
FROM joined
"""
"""What makes it, of other views and of ring_files. ``not_recorded`` is how many seconds lack in its
pieces and between them, null if none do. ``verdict`` is the worst of its pieces', ``end`` is the
last one's; of a stream that lacks its beginning or its midst neither says that all is well."""


def ring_files(captures: Iterable[str]) -> Any:
    """Return the table ``ring_files`` as a pyarrow.Table: of captures that are files of a recorder,
    whose they are, and their number."""
    import pyarrow as pa

    columns = {"capture": pa.string(), "recorder": pa.string(), "turn": pa.int64()}
    turns = ((name, turn_of(name)) for name in dict.fromkeys(captures))
    found = [(name, *turn) for name, turn in turns if turn is not None]
    arrays = [
        pa.array([row[place] for row in found], kind) for place, kind in enumerate(columns.values())
    ]
    return pa.table(arrays, list(columns))
