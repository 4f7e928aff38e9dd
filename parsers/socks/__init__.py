"""What a client and a SOCKS proxy say before the proxy is a tunnel (versions 4, 4a and 5)."""
