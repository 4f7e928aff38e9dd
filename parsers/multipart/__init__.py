"""multipart bodies (RFC 2046 section 5.1): bytes in, parts out."""
