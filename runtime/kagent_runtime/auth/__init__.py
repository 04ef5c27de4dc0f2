"""Who calls: bearer tokens of a file, OpenID Connect, client certificates. What they may see follows from it."""
