"""Value types, errors, settings and words shared by every floor; imports nothing of ours."""
