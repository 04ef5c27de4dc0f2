def run() -> str:
    return str(  # error: KR380
