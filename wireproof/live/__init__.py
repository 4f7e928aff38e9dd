"""Packets and records as they arrive."""
