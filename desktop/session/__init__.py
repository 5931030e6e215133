"""The open case: reading and writing threads, the engine process, what panels are given."""
