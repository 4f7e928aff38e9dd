"""What known streams say inside their elements: the token, not its envelope."""
