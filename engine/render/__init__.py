"""Drawing over frames: NumPy in, RGB out; without torch and without a window."""
