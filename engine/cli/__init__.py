"""The command line: one file a command; heavy packages are imported when a command runs."""
