"""Tool types, one a file."""
