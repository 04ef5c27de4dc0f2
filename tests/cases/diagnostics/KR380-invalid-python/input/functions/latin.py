"""Characters that Python would read in another way."""
# coding: latin-1  # error: KR380


def run() -> str:
    return "café"
