"""The dialogs of the window, and its strips for messages and for work in progress."""
