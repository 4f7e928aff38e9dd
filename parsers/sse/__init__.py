"""Server-sent events (WHATWG HTML section 9.2): decoded text in, events out."""
