"""Record real packets."""
