"""What is usual: learned from normal footage, from spans, or from the evidence itself."""
