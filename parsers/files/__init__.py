"""Capture files: bytes in, packets out."""
