"""``explain`` in a GitHub workflow: an annotation for each verdict that is not "ok".

    ::error file=api.pcapng,title=GET /chat (exchange 3, packets 12-88)::held until the end ...

Workflow commands (https://docs.github.com/actions/reference/workflow-commands-for-github-actions)
end with their line: what would end a line, a property or the command is percent-encoded, as
``@actions/core`` does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from ...analysis.outcomes import Outcome, Tally
from ...analysis.verdict import Severity, Verdict
from .words import counted, details, summary, title

COMMANDS: dict[Severity, str] = {"note": "notice", "warning": "warning", "error": "error"}


class GithubView:
    """Writes workflow commands."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._source = ""

    def begin(self, source: str) -> None:
        self._source = source

    def add(self, outcome: Outcome, failed: Sequence[Verdict]) -> None:
        for verdict in outcome.verdicts:
            if verdict.severity in COMMANDS:
                self._stream.write(self._command(outcome, verdict))
        self._stream.flush()

    def end(self, tally: Tally) -> None:
        self._stream.write(f"{_data(self._source)}: {counted(tally)}\n")

    def close(self, tally: Tally) -> None:
        self._stream.flush()

    def _command(self, outcome: Outcome, verdict: Verdict) -> str:
        name = title(outcome.listed)
        said = [f"{verdict.question}: {verdict.answer}: {summary(verdict)}"]
        said += [f"{label}: {text}" for label, text in details(verdict)]
        properties = f"file={_property(self._source)},title={_property(name)}"
        return f"::{COMMANDS[verdict.severity]} {properties}::{_data(chr(10).join(said))}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
