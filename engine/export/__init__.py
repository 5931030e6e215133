"""Exports the data of one run: stills, clips with overlay, arrays, regions and trajectories."""
