"""The sample's own parsers."""
