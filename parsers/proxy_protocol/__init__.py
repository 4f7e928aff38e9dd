"""The header with which a proxy says for whom it connects (PROXY protocol, versions 1 and 2)."""
