"""What scores footage: one package for each channel; they do not import each other."""
