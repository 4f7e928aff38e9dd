"""What only Linux has: packet sockets, namespaces, redirected connections."""
