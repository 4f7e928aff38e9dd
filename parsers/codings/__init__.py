"""Content codings and transfer codings, a coder for each (RFC 9110 section 8.4.1)."""
