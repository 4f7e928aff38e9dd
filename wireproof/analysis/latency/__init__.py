"""How long a client waited for a model, told from packets, in the terms of those who measure."""
