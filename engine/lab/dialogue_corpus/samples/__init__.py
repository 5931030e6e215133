"""Spans with their truth and every map of them, as stage 2 trains on them."""
