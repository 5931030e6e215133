"""Language models behind one protocol: text and embeddings in, text out a piece at a time."""
