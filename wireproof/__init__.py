"""wireproof: what a streaming HTTP API really put on the wire, packet by packet."""

__version__ = "0.1.0"
