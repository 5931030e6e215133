"""Archives: a whole case in one file with a manifest, and back again."""
