def run() -> str:
    return "done"
