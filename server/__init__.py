"""A demo server worth pointing tools at."""
