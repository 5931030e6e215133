"""Flow, foreground and the usual speed of the scene: computed once, read by every channel."""
