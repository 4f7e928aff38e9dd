"""HTTP/2 (RFC 9113) below its messages: frames, header blocks, streams and flow control."""
