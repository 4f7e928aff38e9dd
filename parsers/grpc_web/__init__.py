"""gRPC-Web: length-prefixed messages, in binary or base64: bytes in, messages out."""
