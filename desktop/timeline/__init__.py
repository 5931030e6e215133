"""The timeline: score, events, trajectories, marks and thumbnails over time."""
