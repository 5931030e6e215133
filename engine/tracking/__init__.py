"""Regions from heatmaps, the trajectories of what stands out, and events with their reasons."""
