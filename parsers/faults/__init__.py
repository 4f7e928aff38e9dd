"""The registry of faults, family by family: :mod:`~parsers.diagnostics` puts them together."""
