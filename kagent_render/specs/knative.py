"""A workload as a Knative Service: no Deployment; Knative counts the requests and scales, to zero and back."""

from typing import Literal

from pydantic import Field

from kagent_render.catalog.fields import Namespace, SpecModel


class Knative(SpecModel):
    """How Knative runs a workload of `type: Knative`."""

    visibility: Literal["cluster-local", "external"] = Field(
        default="cluster-local", description="`external`: Knative's own gateway serves it under its domain."
    )
    # Upper bounds: Knative's defaults max-revision-timeout-seconds and container-concurrency-max-limit.
    concurrency: int = Field(default=0, ge=0, le=1000, description="Requests at once a pod, at most; 0: no limit.")
    min_scale: int = Field(default=0, ge=0, le=1000, description="0: scale to zero.")
    max_scale: int = Field(default=5, ge=1, le=1000, description="Never more pods.")
    target: int = Field(default=10, ge=1, le=1000, description="Requests at once a pod that Knative aims at.")
    window_seconds: int = Field(default=60, ge=6, le=3600, description="Averaged over so many seconds.")
    timeout_seconds: int = Field(default=600, ge=1, le=600, description="One request, streams included.")
    ingress_namespace: Namespace = Field(
        default="kourier-system", description="Where the gateway of Knative's network layer runs."
    )
