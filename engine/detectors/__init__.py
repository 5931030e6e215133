"""What judges footage: one package a channel, siblings that do not know each other."""
