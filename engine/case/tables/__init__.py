"""What a case holds, a file a subject: rows, and the ways to read and change them."""
