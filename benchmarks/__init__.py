"""Benchmarks: wireproof beside its peers, as ratios in the same run."""
