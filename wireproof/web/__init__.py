"""The inspector: a capture as a page, served on loopback or put into one file."""
