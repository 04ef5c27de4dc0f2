"""The registry of rules by kind, and the one way in: an object to everything that an API server would refuse of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kagent_render.rules.disruption import pod_disruption_budget
from kagent_render.rules.gateway import backend_tls_policy, http_route
from kagent_render.rules.metadata import metadata_defects
from kagent_render.rules.network_policies import network_policy
from kagent_render.rules.rbac import cluster_role, cluster_role_binding, role, role_binding
from kagent_render.rules.scaling import interceptor_route, scaled_object
from kagent_render.rules.services import service
from kagent_render.rules.storage import config_map, persistent_volume_claim
from kagent_render.rules.walk import Rule
from kagent_render.rules.workloads import deployment
from kagent_render.schemas import NEWEST, Defect, defects, schema_of

# A kind with no rules of its own, such as ServiceAccount, is held to its schema and to the rules of metadata.
RULES: dict[str, tuple[Rule, ...]] = {
    "apps/v1 Deployment": (deployment,),
    "gateway.networking.k8s.io/v1 BackendTLSPolicy": (backend_tls_policy,),
    "gateway.networking.k8s.io/v1 HTTPRoute": (http_route,),
    "http.keda.sh/v1beta1 InterceptorRoute": (interceptor_route,),
    "keda.sh/v1alpha1 ScaledObject": (scaled_object,),
    "networking.k8s.io/v1 NetworkPolicy": (network_policy,),
    "policy/v1 PodDisruptionBudget": (pod_disruption_budget,),
    "rbac.authorization.k8s.io/v1 ClusterRole": (cluster_role,),
    "rbac.authorization.k8s.io/v1 ClusterRoleBinding": (cluster_role_binding,),
    "rbac.authorization.k8s.io/v1 Role": (role,),
    "rbac.authorization.k8s.io/v1 RoleBinding": (role_binding,),
    "v1 ConfigMap": (config_map,),
    "v1 PersistentVolumeClaim": (persistent_volume_claim,),
    "v1 Service": (service,),
}


def object_defects(item: Mapping[str, Any], minor: str = NEWEST) -> Iterator[Defect]:
    """What an API server of a minor version would refuse of an object; of a kind without a schema nothing is known.

    The rules only see what has the form that the schema demands, as in the API server.
    """
    schema = schema_of(item["apiVersion"], item["kind"], minor)
    if schema is None:
        return
    is_formed = True
    for defect in defects(item, schema, minor):
        is_formed = False
        yield defect
    if is_formed:
        yield from metadata_defects(item, minor)
        for rule in RULES.get(f"{item['apiVersion']} {item['kind']}", ()):
            yield from rule(item, ())
