"""The engine of Sightline: everything that computes; it never imports Qt."""
