"""Queries that are asked again and again, by name: each answers one question about a fleet."""

from __future__ import annotations

from typing import NamedTuple

from ..analysis.gaps import LONG


class Query(NamedTuple):
    """A query with a name."""

    question: str
    """What it answers, as a person would ask it."""
    sql: str


BOUNDS = [step * 10.0**power for power in range(-3, 6) for step in (1, 2, 5)]
"""Of longest gaps, in seconds."""
RANK = "list_position(['ok', 'note', 'warning', 'error'], severity)"
"""How grave it is."""
STREAMS = "verdict IN ('held', 'bursty', 'stepped', 'header-held')"
NEAR = "NOT coalesce(is_behind_proxy, false)"
"""Whether a client asked for it: where a proxy's both legs were recorded, a request counts once.

Data sets of earlier versions do not know that, and count both.
"""
NAMED: dict[str, Query] = {
    "held-streams": Query(
        "Which targets were not delivered as they were written, how often, and why?",
        f"""
        SELECT method, split_part(target, '?', 1) AS target, count(*) AS answers,
            count(*) FILTER (WHERE {STREAMS}) AS held,
            round(held / answers, 3) AS share,
            mode(cause) FILTER (WHERE {STREAMS}) AS likeliest_cause
        FROM exchanges LEFT JOIN (
            SELECT capture_sha256, capture, connection, exchange, causes[1].code AS cause
            FROM verdicts WHERE question = 'streaming'
        ) USING (capture_sha256, capture, connection, exchange)
        WHERE verdict <> '' AND {NEAR} GROUP BY ALL HAVING held > 0
        ORDER BY share DESC, held DESC, 2, method
        """,
    ),
    "first-token": Query(
        "How long until the first token, median and p99, by target and hour?",
        f"""
        SELECT date_trunc('hour', time) AS hour, method,
            split_part(target, '?', 1) AS target, count(*) AS answers,
            round(quantile_disc(first_token, 0.5), 6) AS p50,
            round(quantile_disc(first_token, 0.99), 6) AS p99
        FROM exchanges WHERE first_token IS NOT NULL AND {NEAR} GROUP BY ALL
        ORDER BY hour, p99 DESC, 3, method
        """,
    ),
    "endings": Query(
        "How did exchanges end, and who closed the connection?",
        f"""
        SELECT exchanges.end AS ending, coalesce(closed_by, 'nobody') AS closed_by, close,
            count(*) AS exchanges, min(exchanges.capture) AS for_example
        FROM exchanges JOIN connections USING (capture_sha256, capture, connection)
        WHERE exchanges.end <> '' AND {NEAR}
        GROUP BY ALL ORDER BY exchanges DESC, ending, closed_by, close
        """,
    ),
    "reconnects": Query(
        "What did clients lose or receive twice when they reconnected?",
        f"""
        SELECT method, target, answer, count(*) AS reconnects,
            sum(json_array_length(numbers, 'lost'))::BIGINT AS lost,
            sum(json_array_length(numbers, 'duplicated'))::BIGINT AS duplicated
        FROM verdicts WHERE question = 'resume' AND {NEAR} GROUP BY ALL
        ORDER BY lost DESC NULLS LAST, target, answer
        """,
    ),
    "worst-gaps": Query(
        "Which gaps were the longest, and what caused them?",
        f"""
        SELECT round(TRY_CAST(numbers->>'seconds' AS DOUBLE), 6) AS seconds, answer,
            method, target, capture, connection, exchange,
            TRY_CAST(numbers->>'from_packet' AS BIGINT) AS from_packet,
            TRY_CAST(numbers->>'to_packet' AS BIGINT) AS to_packet
        FROM verdicts WHERE question = 'gap' AND answer <> 'not-recorded' AND {NEAR}
        UNION ALL SELECT round(TRY_CAST(numbers->>'idle_before_close' AS DOUBLE), 6) AS seconds,
            answer, method, target, capture, connection, exchange, packets[1], packets[-1]
        FROM verdicts WHERE question IN ('ending', 'websocket')
            AND (is_fault OR answer = 'aborted') AND seconds >= {LONG} AND {NEAR}
        ORDER BY seconds DESC NULLS LAST, capture, from_packet LIMIT 20
        """,
    ),
    "retransmissions": Query(
        "What share of packets was retransmitted, by host and server?",
        """
        SELECT host, server, count(*) AS connections, sum(connections.packets)::BIGINT AS packets,
            sum(retransmissions)::BIGINT AS retransmitted,
            round(sum(retransmissions) / sum(connections.packets), 6) AS share
        FROM connections GROUP BY ALL HAVING sum(connections.packets) > 0
        ORDER BY share DESC, packets DESC, server, host
        """,
    ),
    "hazards": Query(
        "Which hazards for clients are most common?",
        f"""
        SELECT code, min(severity) AS severity, count(*) AS times,
            count(DISTINCT target) AS targets, min(capture) AS for_example
        FROM (
            SELECT unnest(list_transform(causes, lambda one: one.code)) AS code,
                severity, target, capture
            FROM verdicts WHERE question = 'hazard' AND {NEAR}
        ) GROUP BY code ORDER BY times DESC, code
        """,
    ),
    "by-capture": Query(
        "How do captures compare, before and after: held, cut, failed, first token?",
        f"""
        SELECT min(time) AS since, host, capture, count(*) AS exchanges,
            count(*) FILTER (WHERE {STREAMS}) AS held,
            count(*) FILTER (WHERE exchanges.end NOT IN ('whole', 'open', 'ws-clean', ''))
                AS not_whole,
            count(*) FILTER (WHERE status >= 500) AS failed,
            round(quantile_disc(first_token, 0.5), 6) AS first_token_p50,
            round(quantile_disc(first_token, 0.99), 6) AS first_token_p99
        FROM exchanges WHERE {NEAR} GROUP BY ALL ORDER BY since, capture
        """,
    ),
    "across-files": Query(
        "Which streams span separately exported files, and what do they look like joined?",
        """
        SELECT method, target, status, pieces, round(seconds, 6) AS seconds, count AS elements,
            first_token, round(longest_gap, 6) AS longest_gap,
            round(not_recorded, 6) AS not_recorded, verdict, streams.end, captures
        FROM streams WHERE pieces > 1 ORDER BY streams.seconds DESC, start_time, client
        """,
    ),
    "verdict-shares": Query(
        "What share of exchanges streamed, was held, or was cut?",
        f"""
        SELECT question, answer, mode(severity) AS severity, count(*) AS exchanges,
            round(count(*) / sum(count(*)) OVER (PARTITION BY question), 6) AS share
        FROM verdicts WHERE question IN ('streaming', 'ending') AND {NEAR}
        GROUP BY question, answer
        ORDER BY question DESC, exchanges DESC, answer
        """,
    ),
    "first-token-by-target": Query(
        "How long until the first token (without tokens: the first element), by target?",
        f"""
        SELECT method, split_part(target, '?', 1) AS target,
            if(first_token IS NULL, element, 'token') AS unit, count(*) AS answers,
            round(quantile_disc(coalesce(first_token, first), 0.5), 6) AS p50,
            round(quantile_disc(coalesce(first_token, first), 0.99), 6) AS p99
        FROM exchanges WHERE coalesce(first_token, first) IS NOT NULL AND method IS NOT NULL
            AND status < 400 AND {NEAR}
        GROUP BY ALL ORDER BY p99 DESC, answers DESC, target, method LIMIT 50
        """,
    ),
    "longest-gaps": Query(
        "How are the longest gaps of exchanges distributed?",
        f"""
        SELECT list_filter({BOUNDS}::DOUBLE[], lambda bound: bound >= longest_gap)[1] AS up_to,
            count(*) AS exchanges
        FROM exchanges WHERE longest_gap > 0 AND {NEAR} GROUP BY ALL ORDER BY up_to
        """,
    ),
    "worst-exchanges": Query(
        "Which exchanges have the worst verdicts?",
        f"""
        SELECT worst.*, answer, summary FROM (
            SELECT capture, capture_sha256, host, connection, exchange, method, target, status,
                transport, verdict, exchanges.end, severity, first_token,
                round(longest_gap, 6) AS longest_gap, start_time
            FROM exchanges WHERE {NEAR}
            ORDER BY {RANK} DESC, longest_gap DESC, start_time, capture, connection, exchange
            LIMIT 50
        ) AS worst LEFT JOIN (
            SELECT capture_sha256, capture, connection, exchange,
                arg_max(answer, {RANK}) AS answer, arg_max(summary, {RANK}) AS summary
            FROM verdicts GROUP BY ALL
        ) USING (capture_sha256, capture, connection, exchange)
        ORDER BY {RANK} DESC, longest_gap DESC, start_time, capture, connection, exchange
        """,
    ),
}
"""Every named query."""
