"""SQL over captures and data sets, by DuckDB: the tables of :mod:`..tables`, and named queries.

from wireproof.query import ask
ask("dataset/", "SELECT target, first_token FROM exchanges").to_pandas()
"""

from __future__ import annotations

from .asking import ask

__all__ = ["ask"]
