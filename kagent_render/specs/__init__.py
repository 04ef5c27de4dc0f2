"""The spec kinds, one a file, and the step from documents to specs."""
