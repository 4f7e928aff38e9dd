"""Our decoding beside Wireshark's: what both say of the same packets, and why they differ."""
