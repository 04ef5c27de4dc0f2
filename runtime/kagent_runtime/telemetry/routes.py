"""`GET /metrics`, in the Prometheus or OpenMetrics text format."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from kagent_runtime.telemetry import metrics

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
async def get_metrics(request: Request) -> Response:
    """All metrics of this process."""
    body, content_type = metrics.exposition(request.headers.get("accept", ""))
    return Response(body, headers={"Content-Type": content_type, "Cache-Control": "no-store"})
