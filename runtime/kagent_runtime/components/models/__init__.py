"""The clients of model providers, one protocol a file. A provider's library is imported when a config uses it."""
