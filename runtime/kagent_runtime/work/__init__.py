"""Tasks that come over a queue: the sources, one a file, and the one worker that takes from them."""
