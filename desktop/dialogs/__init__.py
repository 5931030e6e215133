"""What opens above the window, or speaks in its strips."""
