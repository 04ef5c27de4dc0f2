"""http: requests, counted by the interceptor of KEDA's HTTP add-on, which holds them while the first pod starts."""

from typing import ClassVar, Literal

from pydantic import Field

from kagent_render.catalog.fields import SpecModel
from kagent_render.catalog.triggers.base import Duration, RouteHost, Trigger, TriggerScope


class RequestRate(SpecModel):
    """Requests a second, averaged over a window."""

    target_value: int = Field(ge=1, description="One replica for each so many requests a second.")
    window: Duration = Field(default="1m0s", description="Averaged over so long.")
    granularity: Duration = Field(default="1s", description="Counted in buckets of so long.")


class HttpTrigger(Trigger):
    """Scale on HTTP requests, to zero and back, through KEDA's HTTP add-on. All traffic enters by its interceptor."""

    keda_type: ClassVar[str] = "external-push"

    type: Literal["http"]
    concurrency: int | None = Field(default=None, ge=1, description="One replica for each so many open requests.")
    request_rate: RequestRate | None = Field(default=None, description="One replica for each so many a second.")
    hosts: list[RouteHost] | None = Field(
        default=None, min_length=1, description="Hosts besides that of the ingress and the names in the cluster."
    )

    def metadata(self, scope: TriggerScope) -> dict[str, str]:
        """Where KEDA asks how many requests there are, and for which route."""
        address = f"keda-add-ons-http-external-scaler.{scope.interceptor_namespace}:9090"
        return {"scalerAddress": address, "interceptorRoute": scope.workload}
