"""The view ``streams``: exchanges, joined where a recorder began another file in their midst.

Strategy: a file that is exported by itself ends in the midst of streams, whose connections are
``open`` there, and the next one begins in the midst, which is ``midstream``. Between the same ends,
on the same host, these are pieces of one stream, in the order of their times. So pieces are found
by what is in the tables already, whoever wrote the files and whenever they were exported. An
element that lies across a border is counted in either piece, in both or in none. Times of a rest
count from its own beginning, for it has no request: the first element's is told from the request in
the first piece.
"""

ENDS = "host, least(client, server), greatest(client, server)"
"""A connection by its ends: of a rest without a request it is a guess which is the server."""
IN_TURN = f"PARTITION BY {ENDS} ORDER BY start_time, capture, exchange"
STREAMS = f"""
CREATE VIEW streams AS
WITH pieces AS (
    SELECT exchanges.*, connections.last_time AS last_time, ended_by, asked,
        midstream AND exchange = 0 AND method IS NULL AS is_rest,
        close = 'open' AND exchange = max(exchange) OVER (
            PARTITION BY capture_sha256, capture, connection) AS goes_on
    FROM exchanges JOIN (
        SELECT capture_sha256, capture, connection, midstream, close, last_time FROM connections
    ) AS connections USING (capture_sha256, capture, connection)
    LEFT JOIN (
        SELECT capture_sha256, capture, connection, exchange,
            max(ended_by) FILTER (record = 'body' AND sender = 'server') AS ended_by,
            max(last_time) FILTER (record = 'request') AS asked
        FROM elements WHERE record IN ('body', 'request') GROUP BY ALL
    ) AS ends USING (capture_sha256, capture, connection, exchange)
), numbered AS (
    SELECT *, sum(CASE WHEN is_rest AND before THEN 0 ELSE 1 END) OVER ({IN_TURN}) AS stream
    FROM (SELECT *, lag(goes_on) OVER ({IN_TURN}) AS before FROM pieces)
)
SELECT min(host) AS host, arg_min(client, start_time) AS client,
    arg_min(server, start_time) AS server, arg_min(method, start_time) AS method,
    arg_min(target, start_time) AS target, arg_min(status, start_time) AS status,
    arg_min(transport, start_time) AS transport,
    count(*) AS pieces, list(capture ORDER BY start_time) AS captures,
    min(start_time) AS start_time, max(last_time) - min(start_time) AS seconds,
    coalesce(
        arg_min_null(first, start_time),
        min(start_time + first) - arg_min_null(asked, start_time)
    ) AS first, arg_min(first_token, start_time) AS first_token,
    sum(count)::BIGINT AS count, max(longest_gap) AS longest_gap,
    arg_min(verdict, start_time) AS verdict,
    arg_max(CASE WHEN is_rest AND numbered.end = '' THEN CASE
        WHEN ended_by IN ('last-chunk', 'content-length', 'end-stream') THEN 'whole'
        WHEN ended_by = 'capture-end' THEN 'open' ELSE '' END
    ELSE numbered.end END, start_time) AS end,
    min(time) AS time
FROM numbered GROUP BY {ENDS}, stream
"""
"""What makes it, of other views. ``verdict`` is of the first piece, ``end`` of the last one."""
