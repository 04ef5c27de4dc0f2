"""Demo mode: replayed models and a small recorded cluster; it needs neither an LLM nor Kubernetes."""
