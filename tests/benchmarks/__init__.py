"""Benchmarks: commands whose output goes into the documentation; never assertions in a test."""
