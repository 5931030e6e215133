"""Teaching by example: marks become variants of a pack; likeness finds more of the same."""
