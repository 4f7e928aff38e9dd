"""JSON values one after another: JSON lines, JSON text sequences, streamed arrays."""
