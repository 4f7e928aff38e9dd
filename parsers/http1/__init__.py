"""HTTP/1.1 (RFC 9112): bytes in, messages out."""
