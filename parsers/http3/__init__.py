"""HTTP/3 (RFC 9114) and QPACK (RFC 9204): a stream's bytes in, frames and fields out."""
