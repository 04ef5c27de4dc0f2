"""Model providers, one a file."""
