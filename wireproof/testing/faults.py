"""What an assertion raises."""

from __future__ import annotations


class WireFailure(AssertionError):
    """The wire shows something else than a test expects."""

    __module__ = "wireproof.testing"  # where it is imported from, as pytest prints it
