"""Two runs side by side: what became worse from one to the other, and what is unknown."""
