import json


def run() -> str:
    import unclosed  # error: KR380

    return json.dumps(unclosed.run())
