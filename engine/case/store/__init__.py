"""The database of a case, its journal and its audit log."""
