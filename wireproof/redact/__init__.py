"""Secrets out of what is shown, exported or sent to someone: masked at their own length.

    redactor = Redactor("all")
    records = map(redactor.redact, decode(stream))

Strategy: a record goes in and a record comes out at once, so the same code serves a file, a live
page and a pipe. What spans several records (a key in two chunks, in two events, in two frames) is
found all the same, because each stream of content remembers the end of what it showed: see
:mod:`.secrets`. :class:`~.frames.FrameMasks` finds the same secrets in the packets that carried
them, for whoever shows or writes bytes.

=========  ============================================================================
policy     what is masked
=========  ============================================================================
headers    the values of fields that are known to hold secrets; the default everywhere
all        those, and whatever looks like a secret in targets, fields, bodies, events,
           messages and diagnostics; where a coding hides a secret, the payload is left out
none       nothing
=========  ============================================================================
"""

from __future__ import annotations

from .fields import secret_spans
from .records import Redactor
from .rules import Rules
from .secrets import MASK, Policy, Report, mask_text

__all__ = ["MASK", "Policy", "Redactor", "Report", "Rules", "mask_text", "secret_spans"]
