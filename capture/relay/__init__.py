"""Recording without any right: by passing connections on."""
