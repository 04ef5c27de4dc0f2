"""The database: how it is reached, what is in it, and who of several processes owns what."""
