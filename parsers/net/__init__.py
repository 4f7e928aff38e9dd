"""From a frame to the bytes of a TCP stream, in order."""
