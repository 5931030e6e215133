"""Few-shot teaching: marks become variants of a pack, and similarity search finds more moments."""
