"""SQL over captures and data sets, by DuckDB: the tables of :mod:`..tables`, and named queries."""
