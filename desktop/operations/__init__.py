"""What the examiner can do, as code without dialogs, so that tests can drive it."""
