from json import dumps


class Forecast:
    def inner(self) -> str:
        return dumps({})


async def forecast() -> str:
    return "ten"


def rebound() -> str:
    return "first"


rebound = Forecast()
