"""Packets in, records out: every layer put together."""
