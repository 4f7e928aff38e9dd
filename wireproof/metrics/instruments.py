"""Every instrument in one table: its name, its unit, its buckets, its labels.

Strategy: names, units, attributes and buckets of generative AI are those of OpenTelemetry's
semantic conventions, so that dashboards which know them know ours; what they have no name for is
called ``wireproof.*``. Labels take their values from vocabularies that are fixed here or in what
judges, but for names of models: of these the first MAX_MODELS count, others are ``other``. So the
number of series has a bound that nothing on the wire can move.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["counter", "histogram"]
MAX_MODELS = 50
OTHER = "other"

SECONDS = tuple(0.01 * 2**power for power in range(14))
"""0.01 to 81.92: what the conventions recommend for ``gen_ai.client.*``."""
FIRST_TOKEN = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
)
PER_TOKEN = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
TOKENS = tuple(float(4**power) for power in range(14))
GEN_AI = ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.response.model")


class Instrument(NamedTuple):
    """One instrument."""

    name: str
    kind: Kind
    unit: str
    """UCUM, as OpenTelemetry has it."""
    description: str
    labels: tuple[str, ...]
    bounds: tuple[float, ...] = ()
    """Upper bounds of a histogram's buckets."""


INSTRUMENTS = (
    Instrument(
        "gen_ai.client.operation.duration",
        "histogram",
        "s",
        "GenAI operation duration: request to the end of the body.",
        (*GEN_AI, "error.type"),
        SECONDS,
    ),
    Instrument(
        "gen_ai.client.operation.time_to_first_chunk",
        "histogram",
        "s",
        "Request to the first chunk of any kind.",
        GEN_AI,
        SECONDS,
    ),
    Instrument(
        "gen_ai.client.operation.time_per_output_chunk",
        "histogram",
        "s",
        "End of one chunk to the end of the next.",
        GEN_AI,
        SECONDS,
    ),
    Instrument(
        "gen_ai.server.time_to_first_token",
        "histogram",
        "s",
        "Request to the first content.",
        GEN_AI,
        FIRST_TOKEN,
    ),
    Instrument(
        "gen_ai.server.time_per_output_token",
        "histogram",
        "s",
        "Time per output token after the first one.",
        GEN_AI,
        PER_TOKEN,
    ),
    Instrument(
        "gen_ai.client.token.usage",
        "histogram",
        "{token}",
        "Output tokens, where the stream says how many.",
        (*GEN_AI, "gen_ai.token.type"),
        TOKENS,
    ),
    Instrument(
        "wireproof.exchanges",
        "counter",
        "{exchange}",
        "Requests with what came back.",
        ("transport", "status"),
    ),
    Instrument(
        "wireproof.exchange.duration",
        "histogram",
        "s",
        "Request to the end of the body.",
        ("transport",),
        SECONDS,
    ),
    Instrument(
        "wireproof.exchange.time_to_first_element",
        "histogram",
        "s",
        "Request to the first event, message or chunk.",
        ("transport",),
        SECONDS,
    ),
    Instrument(
        "wireproof.exchange.longest_wait",
        "histogram",
        "s",
        "Longest wait between two elements.",
        ("transport",),
        SECONDS,
    ),
    Instrument(
        "wireproof.verdicts",
        "counter",
        "{verdict}",
        "Verdicts, by question and answer.",
        ("question", "answer", "severity", "cause"),
    ),
    Instrument(
        "wireproof.elements",
        "counter",
        "{element}",
        "Events, messages, JSON values, parts, chunks and runs from servers.",
        ("kind",),
    ),
    Instrument(
        "wireproof.connections",
        "counter",
        "{connection}",
        "Connections that are over, by how they ended.",
        ("close", "closed_by"),
    ),
    Instrument(
        "wireproof.diagnostics",
        "counter",
        "{diagnostic}",
        "Faults on the wire.",
        ("severity", "code"),
    ),
)
BY_NAME = {instrument.name: instrument for instrument in INSTRUMENTS}
