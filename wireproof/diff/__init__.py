"""Two runs beside each other: what became worse from one to the other, and what cannot be told."""
