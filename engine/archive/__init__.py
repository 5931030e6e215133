"""Writes a whole case into one file with a manifest, and unpacks such a file again."""
