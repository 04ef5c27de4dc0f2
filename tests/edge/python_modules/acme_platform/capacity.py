"""The module of the platform-team example."""


def forecast(cluster: str, days: int) -> dict[str, object]:
    """How many nodes a cluster needs."""
    return {"cluster": cluster, "nodes": 10 + days // 10}
