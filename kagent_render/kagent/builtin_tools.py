"""Names of kagent's built-in tools, of both generations, and the tools of ours that do the same."""

from __future__ import annotations

from kagent_render.catalog.tools.prometheus import DEFAULT_URL

# Served by kagent-tools as MCP tools (v1alpha2), and as AutoGen components before (v1alpha1, kagent.tools.*).
TOOL_SERVER = "kagent-tool-server"
# Several names with spaces between: what one of theirs does is several of ours. Those of ours that change the cluster
# wait for a person, whatever the import says of approvals.
COUNTERPARTS = {
    "k8s_get_resources": "kubectl-get",
    "k8s_get_resource_yaml": "kubectl-get",
    "k8s_get_events": "kubectl-events",
    "k8s_describe_resource": "kubectl-describe",
    "k8s_get_pod_logs": "kubectl-logs",
    "k8s_annotate_resource": "kubectl-annotate",
    "k8s_get_available_api_resources": "kubectl-api-resources",
    "k8s_apply_manifest": "kubectl-apply",
    "k8s_delete_resource": "kubectl-delete",
    "k8s_label_resource": "kubectl-label",
    "k8s_patch_resource": "kubectl-patch",
    "k8s_remove_annotation": "kubectl-annotate",
    "k8s_remove_label": "kubectl-label",
    "k8s_rollout": "kubectl-rollout-restart kubectl-rollout-undo kubectl-rollout-status kubectl-rollout-history",
    "k8s_scale": "kubectl-scale",
    "helm_list_releases": "helm-list",
    "helm_get_release": "helm-status",
    "helm_uninstall": "helm-uninstall",
    "prometheus_query_tool": "prometheus-query",
    "prometheus_query_range_tool": "prometheus-query-range",
    "prometheus_label_names_tool": "prometheus-labels",
    "prometheus_targets_tool": "prometheus-targets",
    "kagent.tools.k8s.GetPods": "kubectl-get",
    "kagent.tools.k8s.GetServices": "kubectl-get",
    "kagent.tools.k8s.DescribePod": "kubectl-describe",
    "kagent.tools.k8s.DescribeService": "kubectl-describe",
    "kagent.tools.prometheus.AlertsTool": "prometheus-alerts",
    "kagent.tools.prometheus.LabelValuesTool": "prometheus-labels",
    "kagent.tools.prometheus.RulesTool": "prometheus-rules",
    "kagent.tools.prometheus.SeriesQueryTool": "prometheus-series",
}
# What makes objects has a document of its own: the built-in `kubectl-apply` only changes those that are there.
CREATING = "k8s_create_resource"
CREATING_BLOCK = {"operation": "apply", "mayCreate": True}
CREATING_DESCRIPTION = "Apply one Kubernetes manifest, and create the object where it is not there yet."
# Why a tool is not carried over, and what to do about it.
UNSUPPORTED_TOOLS = {
    "k8s_execute_command": (
        "`kubectl-exec` runs only the commands that a Tool document names",
        'add a Tool `kubectl-exec` with kubernetes: {commands: [["nginx", "-T"]]}, and list it in `tools`',
    ),
    "k8s_check_service_connectivity": (
        "it starts a pod with curl",
        "kubectl-get of endpointslices says who answers; a Tool of type http calls a service",
    ),
    "k8s_create_resource_from_url": (
        "manifests are not fetched",
        "the model writes the manifest, for kubectl-apply",
    ),
    "k8s_generate_resource": ("it asks another model", "kubectl-explain gives the schema to the model that asks"),
    "k8s_get_cluster_configuration": (
        "it shows the kubeconfig of the tool server",
        "an agent has a ServiceAccount of its own, which `describe` tells the rights of",
    ),
    "k8s_patch_status": ("the status of an object is its controller's", None),
    "helm_repo_add": ("there are no repositories to keep", "a Tool names the repository of its chart: helm.chart"),
    "helm_repo_update": ("there are no repositories to keep", "a Tool names the repository of its chart: helm.chart"),
    "helm_upgrade": (
        "a Tool document says which chart may be installed",
        "helm: {operation: upgrade, chart: {name: oci://…}} in a Tool of type helm",
    ),
    "prometheus_promql_tool": ("it asks another model", "the model that asks writes PromQL by itself"),
    "shell": ("no shell is open to a model", "a Tool document names the commands that kubectl-exec may run"),
}
# The same tools as they were called before.
_V1ALPHA1 = {
    "kagent.tools.k8s.AnnotateResource": "k8s_annotate_resource",
    "kagent.tools.k8s.ApplyManifest": "k8s_apply_manifest",
    "kagent.tools.k8s.CheckServiceConnectivity": "k8s_check_service_connectivity",
    "kagent.tools.k8s.CreateResource": "k8s_create_resource",
    "kagent.tools.k8s.DeleteResource": "k8s_delete_resource",
    "kagent.tools.k8s.DescribeResource": "k8s_describe_resource",
    "kagent.tools.k8s.ExecuteCommand": "k8s_execute_command",
    "kagent.tools.k8s.GenerateResourceTool": "k8s_generate_resource",
    "kagent.tools.k8s.GetAvailableAPIResources": "k8s_get_available_api_resources",
    "kagent.tools.k8s.GetClusterConfiguration": "k8s_get_cluster_configuration",
    "kagent.tools.k8s.GetEvents": "k8s_get_events",
    "kagent.tools.k8s.GetPodLogs": "k8s_get_pod_logs",
    "kagent.tools.k8s.GetResourceYAML": "k8s_get_resource_yaml",
    "kagent.tools.k8s.GetResources": "k8s_get_resources",
    "kagent.tools.k8s.LabelResource": "k8s_label_resource",
    "kagent.tools.k8s.PatchResource": "k8s_patch_resource",
    "kagent.tools.k8s.RemoveAnnotation": "k8s_remove_annotation",
    "kagent.tools.k8s.RemoveLabel": "k8s_remove_label",
    "kagent.tools.k8s.Rollout": "k8s_rollout",
    "kagent.tools.k8s.Scale": "k8s_scale",
    "kagent.tools.helm.GetRelease": "helm_get_release",
    "kagent.tools.helm.ListReleases": "helm_list_releases",
    "kagent.tools.helm.RepoAdd": "helm_repo_add",
    "kagent.tools.helm.RepoUpdate": "helm_repo_update",
    "kagent.tools.helm.Uninstall": "helm_uninstall",
    "kagent.tools.helm.Upgrade": "helm_upgrade",
    "kagent.tools.prometheus.GeneratePromQLTool": "prometheus_promql_tool",
    "kagent.tools.prometheus.LabelNamesTool": "prometheus_label_names_tool",
    "kagent.tools.prometheus.PromQLTool": "prometheus_promql_tool",
    "kagent.tools.prometheus.QueryRangeTool": "prometheus_query_range_tool",
    "kagent.tools.prometheus.QueryTool": "prometheus_query_tool",
    "kagent.tools.prometheus.TargetsTool": "prometheus_targets_tool",
}


def present_name(name: str) -> str:
    """The name that kagent has for a tool now."""
    return _V1ALPHA1.get(name, name)


def note_of(ours: str) -> str | None:
    """What is to be known of a tool of ours that does the same."""
    if not ours.startswith("prometheus-"):
        return None
    return f"`{ours}` asks {DEFAULT_URL}; a Tool of that name and of type prometheus asks another server"
