"""Reports of a case in every form, and what they say."""
