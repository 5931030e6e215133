"""Whether an installation computes what is on record, and has the files that were built."""
