"""Names of kagent's built-in tools, of both generations, and the tools of ours that do the same."""

from __future__ import annotations

# Served by kagent-tools as MCP tools (v1alpha2), and as AutoGen components before (v1alpha1, kagent.tools.*).
TOOL_SERVER = "kagent-tool-server"
COUNTERPARTS = {
    "k8s_get_resources": "kubectl-get",
    "k8s_get_resource_yaml": "kubectl-get",
    "k8s_get_events": "kubectl-get",
    "k8s_describe_resource": "kubectl-describe",
    "k8s_get_pod_logs": "kubectl-logs",
    "helm_list_releases": "helm-list",
    "helm_get_release": "helm-status",
    "kagent.tools.k8s.GetPods": "kubectl-get",
    "kagent.tools.k8s.GetServices": "kubectl-get",
    "kagent.tools.k8s.GetResources": "kubectl-get",
    "kagent.tools.k8s.GetEvents": "kubectl-get",
    "kagent.tools.k8s.GetResourceYAML": "kubectl-get",
    "kagent.tools.k8s.DescribePod": "kubectl-describe",
    "kagent.tools.k8s.DescribeService": "kubectl-describe",
    "kagent.tools.k8s.DescribeResource": "kubectl-describe",
    "kagent.tools.k8s.GetPodLogs": "kubectl-logs",
    "kagent.tools.helm.ListReleases": "helm-list",
    "kagent.tools.helm.GetRelease": "helm-status",
}
