"""The panels beside the picture: evidence, events, trajectories, bookmarks, notes, chat, marks."""
