"""QUIC (RFC 9000, RFC 9001, RFC 9369): datagrams in, the bytes of streams out, for each packet."""
