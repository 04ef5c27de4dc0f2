"""What the API server checks of an object's form, without a server: the schemas of every kind that is rendered."""

from kagent_render.schemas.bundle import MINORS, NEWEST, is_served, schema_of
from kagent_render.schemas.validator import Defect, defects

__all__ = ["MINORS", "NEWEST", "Defect", "defects", "is_served", "schema_of"]
