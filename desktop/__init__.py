"""The window: shows state, sends requests to the engine, writes the examiner's own edits."""
