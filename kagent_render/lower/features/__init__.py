"""Features of the Platform that add to every pod, one a file."""
