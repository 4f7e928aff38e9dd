"""TLS as it is seen without keys: bytes in; records, hellos and alerts out."""
