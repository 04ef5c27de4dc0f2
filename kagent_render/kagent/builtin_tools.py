"""Names of kagent's built-in tools, of both generations, and the tools of ours that do the same."""

from __future__ import annotations

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
    "kagent.tools.k8s.GetPods": "kubectl-get",
    "kagent.tools.k8s.GetServices": "kubectl-get",
    "kagent.tools.k8s.GetResources": "kubectl-get",
    "kagent.tools.k8s.GetEvents": "kubectl-events",
    "kagent.tools.k8s.GetResourceYAML": "kubectl-get",
    "kagent.tools.k8s.DescribePod": "kubectl-describe",
    "kagent.tools.k8s.DescribeService": "kubectl-describe",
    "kagent.tools.k8s.DescribeResource": "kubectl-describe",
    "kagent.tools.k8s.ApplyManifest": "kubectl-apply",
    "kagent.tools.k8s.GetAvailableAPIResources": "kubectl-api-resources",
    "kagent.tools.k8s.GetPodLogs": "kubectl-logs",
    "kagent.tools.helm.ListReleases": "helm-list",
    "kagent.tools.helm.GetRelease": "helm-status",
}
