"""What the window shows, as typed values with one signal each; knows nothing of widgets."""
