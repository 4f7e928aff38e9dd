-- p50 and p99 until the first token, by target and release.
-- The lines that are yours: which release runs on which host, and since when.
WITH releases(release, host, since) AS (VALUES
    ('41', 'web1', TIMESTAMPTZ '2026-01-01 00:00:00Z'),
    ('41', 'web2', TIMESTAMPTZ '2026-01-01 00:00:00Z'),
    ('42', 'web3', TIMESTAMPTZ '2026-01-01 00:00:00Z')
)
SELECT split_part(target, '?', 1) AS target, release, count(*) AS answers,
    round(quantile_disc(first_token, 0.5), 6) AS p50,
    round(quantile_disc(first_token, 0.99), 6) AS p99
FROM exchanges ASOF JOIN releases
    ON exchanges.host = releases.host AND exchanges.time >= releases.since
WHERE first_token IS NOT NULL
GROUP BY ALL ORDER BY target, release
