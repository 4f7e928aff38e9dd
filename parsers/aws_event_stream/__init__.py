"""AWS event streams (application/vnd.amazon.eventstream): bytes in, messages out."""
