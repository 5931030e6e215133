"""A report in words and in order; its pictures and charts."""
