"""What asks the examiner in a dialog or a field before an operation does it, by subject."""
