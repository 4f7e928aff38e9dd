"""Decode a capture."""
