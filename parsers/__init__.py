"""From the bytes of a capture file to records: pure Python, no I/O but reading.

    bytes of a file -> packets -> connections -> byte streams -> messages -> events -> records

``decode.decode`` runs the whole chain; each decoder stands alone and can be fed by hand.
``docs/architecture.md`` says which file does what.
"""
