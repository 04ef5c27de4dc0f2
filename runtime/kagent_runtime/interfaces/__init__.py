"""Protocols that people already have clients for, each over the same sessions: OpenAI's, A2A, MCP."""
