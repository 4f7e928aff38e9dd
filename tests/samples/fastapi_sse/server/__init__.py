"""The sample's own server."""
