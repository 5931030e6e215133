"""What the headers of coded pictures say about their order."""
