"""Termination conditions, one a file."""
