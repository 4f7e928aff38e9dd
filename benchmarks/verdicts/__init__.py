"""What wireproof says of captures whose truth is known: ``make verdicts``."""
