"""HTTP/2 as it goes wrong and right, in the clear or over TLS: an app under hypercorn."""
