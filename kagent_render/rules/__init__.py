"""What the API server checks of an object beyond its form, without a server."""

from kagent_render.rules.pod_security import pod_security_defects
from kagent_render.rules.registry import object_defects

__all__ = ["object_defects", "pod_security_defects"]
