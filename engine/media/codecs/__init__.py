"""Reads from the headers of coded pictures in which order they are shown."""
