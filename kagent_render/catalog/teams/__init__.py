"""Team patterns, one a file."""
