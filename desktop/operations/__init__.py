"""What the examiner can do, without dialogs: the window asks, these do."""
