"""Lists beside the picture: evidence, events, trajectories, bookmarks and notes."""
