"""The kinds of records, family by family: :mod:`~parsers.records` is where others get them."""
