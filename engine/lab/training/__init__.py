"""Training on folders of footage with truth: stage 1 makes the decoder of heatmaps."""
