"""How things are worded and made safe to print."""
