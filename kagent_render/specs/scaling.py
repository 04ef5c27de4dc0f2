"""How many pods: KEDA scaling, for all workloads or one."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from kagent_render.catalog.fields import Namespace, SecretKeyReference, SpecModel
from kagent_render.catalog.triggers.http import HttpTrigger
from kagent_render.catalog.triggers.registry import AnyTrigger


def _zero(value: int) -> int:
    if value != 0:
        raise PydanticCustomError("value", "{rule}", {"rule": "0, the only number KEDA idles at (kedacore/keda#2314)"})
    return value


class Fallback(SpecModel):
    """How many replicas while a trigger's source does not answer."""

    failure_threshold: int = Field(default=3, ge=1, description="After so many failed polls.")
    replicas: int = Field(ge=0, description="Replicas meanwhile.")
    behavior: Literal["static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower"] = Field(
        default="static", description="`static`: exactly `replicas`; the others look at how many there are."
    )


class Scaling(SpecModel):
    """Scale with KEDA. One said for a workload replaces the Platform's as a whole."""

    min_replicas: int = Field(default=1, ge=0, le=1000, description="0: scale to zero.")
    max_replicas: int = Field(default=5, ge=1, le=1000, description="Never more, whatever the triggers say.")
    idle_replicas: Annotated[int, AfterValidator(_zero)] | None = Field(
        default=None, description="0: no pod while all triggers rest, though minReplicas is higher."
    )
    polling_interval_seconds: int = Field(default=30, ge=1, description="How often KEDA asks the triggers.")
    cooldown_seconds: int = Field(default=300, ge=0, description="Rest before the last pod goes.")
    stabilization_window_seconds: int | None = Field(
        default=None, ge=0, le=3600, description="Rest before fewer pods; the HPA's default is 300."
    )
    fallback: Fallback | None = Field(default=None, description="While a trigger's source does not answer.")
    triggers: list[AnyTrigger] = Field(min_length=1, description="What decides; the one that asks for most wins.")

    @property
    def http(self) -> HttpTrigger | None:
        """The trigger that counts HTTP requests, if there is one."""
        return next((trigger for trigger in self.triggers if isinstance(trigger, HttpTrigger)), None)

    @property
    def secrets(self) -> list[SecretKeyReference]:
        """The keys of Secrets that KEDA reads to ask the triggers."""
        return [reference for trigger in self.triggers for reference in trigger.secrets().values()]


class HttpInterceptor(SpecModel):
    """KEDA's HTTP add-on, which the requests of workloads with an `http` trigger pass."""

    namespace: Namespace = Field(default="keda", description="Where the add-on is installed.")
    reference_grant: bool = Field(
        default=True, description="Render the ReferenceGrant that lets HTTPRoutes lead to the interceptor."
    )
    start_timeout_seconds: int = Field(default=60, ge=1, le=3600, description="How long a request waits for a pod.")
