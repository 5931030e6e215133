"""Results of runs: scores, heatmaps, regions, trajectories and events, by derivation."""
