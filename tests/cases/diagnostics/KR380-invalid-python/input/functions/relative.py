from . import rates  # error: KR380


def run() -> str:
    return "done"
