"""The stock runtime: serves the agent or team that its RuntimeConfig describes."""

__version__ = "0.1.0"
