"""Structs as Arrow's columns: what a Parquet file, a data set and a notebook's table are made of.

A :class:`~.layouts.Table` says which structs are its rows; :class:`~.rows.Rows` takes them and
gives record batches.
"""
