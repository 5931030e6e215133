"""People and what they take with them: bodies in any posture, gaits, goods, vehicles."""
