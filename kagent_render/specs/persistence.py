"""Where conversations are kept, so that they outlive the pod."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from kagent_render.catalog.fields import ObjectName, Quantity, SecretKeyReference, SpecModel, coded, matching
from kagent_render.specs.network import Port

_LABEL = r"[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?"
HostName = Annotated[
    str, matching(rf"{_LABEL}(\.{_LABEL})*", "value", "a host name or an IPv4 address, without a port")
]


class Database(SpecModel):
    """A PostgreSQL database. Workloads share it: each has a schema of its own, which it makes at the first start."""

    url_secret_ref: SecretKeyReference = Field(
        description="The URL, postgresql://user:password@host:port/database?sslmode=require, whole, in a Secret."
    )
    host: HostName | None = Field(
        default=None, description="The host of that URL, which the NetworkPolicy lets the pods call."
    )
    port: Port = Field(default=5432, description="The port of that URL.")


class StateVolume(SpecModel):
    """A PersistentVolumeClaim for each workload, with a SQLite file; then there is one pod at a time."""

    size: Quantity = Field(description="How much, such as 1Gi.")
    storage_class_name: ObjectName | None = Field(default=None, description="Default: that of the cluster.")


class Persistence(SpecModel):
    """Keep conversations when the pod goes. Exactly one of the two."""

    database: Database | None = Field(default=None, description="A PostgreSQL database, for any number of pods.")
    volume: StateVolume | None = Field(default=None, description="A volume, for one pod.")

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        if (self.database is None) == (self.volume is None):
            found = "neither `database` nor `volume`" if self.database is None else "both `database` and `volume`"
            help = "give one: a database for several pods, a volume for one"
            raise coded("KR570", f"`persistence` has {found}", "volume" if self.volume else "", help)
        return self
