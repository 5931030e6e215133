"""The tables of a case: one file a subject, with its rows, its new rows and its repository."""
