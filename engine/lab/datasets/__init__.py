"""Benchmarks of the field and their ground truth, read from a folder the user names."""
