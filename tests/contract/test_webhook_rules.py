"""Every rule of the webhooks and controllers of what is rendered that specs can break, and the case that reports it."""

from __future__ import annotations

import pytest

from tests.harness import CASES

# The rule, the case below tests/cases/diagnostics, and a part of the report.
RULES = (
    ("KEDA: at least one trigger", "KR104-no-trigger", "`triggers` must not be empty"),
    ("KEDA: triggers of a known type", "KR104-scaling-values", "`type: kafka` is not accepted"),
    ("KEDA: minReplicaCount ≤ maxReplicaCount", "KR520-replica-bounds", "minReplicas `2` is more than"),
    ("KEDA: idleReplicaCount < minReplicaCount", "KR520-replica-bounds", "idleReplicas `0` is not less than"),
    ("KEDA: idleReplicaCount is 0", "KR104-scaling-values", "0, the only number KEDA idles at"),
    ("KEDA: CPU and memory alone do not scale from zero", "KR521-no-way-from-zero", "cannot start the first pod"),
    ("KEDA: CPU and memory need a request", "KR522-missing-request", "error[KR522] `memory`"),
    ("KEDA: a utilization is positive", "KR104-scaling-values", "`utilization` should be greater"),
    ("KEDA: a fallback needs another trigger", "KR523-useless-fallback", "error[KR523]"),
    ("KEDA: behavior of a fallback", "KR104-scaling-values", "`behavior: scalingModifiers` is not accepted"),
    ("KEDA: trigger names are unique", "KR524-duplicate-trigger", "two triggers have the name `load`"),
    ("KEDA: pollingInterval ≥ 1", "KR104-scaling-values", "`pollingIntervalSeconds` should be"),
    ("KEDA: the name leaves room for keda-hpa-", "KR505-object-name-too-long", "too long for a ScaledObject"),
    ("KEDA cron: start is not end", "KR525-empty-cron-window", "is both start and end"),
    ("KEDA cron: five fields", "KR104-scaling-values", "five fields: minute"),
    ("KEDA cron: fields in range", "KR104-scaling-values", "hour in 0 to 23, not 24"),
    ("KEDA cron: ranges go up", "KR104-scaling-values", "day of week in 0 to 6, not 5-1"),
    ("KEDA cron: steps are not zero", "KR104-scaling-values", "minute in 0 to 59, not */0"),
    ("KEDA cron: an IANA time zone", "KR104-scaling-values", "an IANA time zone such as Europe/Berlin"),
    ("KEDA cron: desiredReplicas > 0", "KR104-scaling-values", "`desiredReplicas` should be greater"),
    ("KEDA prometheus: a URL", "KR104-scaling-values", "`serverAddress: prometheus:9090` is not valid"),
    ("KEDA prometheus: a positive threshold", "KR104-scaling-values", "`threshold` should be greater than 0"),
    ("KEDA prometheus: no credential in the URL", "KR106-trigger-credential", "error[KR106]"),
    ("KEDA redis: host:port", "KR104-scaling-values", "`address: redis://redis.data.svc:6379` is not valid"),
    ("KEDA nats: host:port without a scheme", "KR104-scaling-values", "`monitoringEndpoint: http://nats"),
    ("KEDA postgresql: a connection by Secret", "KR104-scaling-values", "`connectionSecretRef` is missing"),
    ("HTTP add-on: concurrency or requestRate", "KR526-unroutable-http-trigger", "neither concurrency nor requestRate"),
    ("HTTP add-on: targetValue ≥ 1", "KR104-scaling-values", "`concurrency` should be greater"),
    ("HTTP add-on: hosts are host names", "KR104-scaling-values", "`hosts[0]: agents.example.com:8080` is not valid"),
    ("HTTP add-on: durations", "KR104-scaling-values", "`window: 1.5m` is not valid"),
    ("HTTP add-on: durations are not zero", "KR104-scaling-values", "`granularity: 0s` is not valid"),
    ("HTTP add-on: a host leads to one workload", "KR527-duplicate-host", "leads to `a` already"),
    ("HTTP add-on: hosts are not for all workloads", "KR526-unroutable-http-trigger", "every workload would have"),
    ("HTTP add-on: a namespace", "KR526-unroutable-http-trigger", "`no-namespace` has no namespace"),
    ("HTTP add-on: one InterceptorRoute a workload", "KR524-duplicate-trigger", "one `http` trigger already"),
    ("Knative: no ScaledObject", "KR528-two-autoscalers", "error[KR528]"),
    ("Knative: no ScaledObject, for all", "KR528-two-autoscalers-for-all", "error[KR528]"),
    ("Knative: no replicas", "KR530-knative-refuses", "Knative refuses `replicas`"),
    ("Knative: no nodeSelector", "KR530-knative-refuses", "Knative refuses `nodeSelector`"),
    ("Knative: no tolerations", "KR530-knative-refuses", "Knative refuses `tolerations`"),
    ("Knative: no priorityClassName", "KR530-knative-refuses", "Knative refuses `priorityClassName`"),
    ("Knative: autoscaling annotations below template", "KR530-knative-refuses", "autoscaling.knative.dev/min-scale"),
    ("Knative: windows in range", "KR104-knative-values", "`windowSeconds` should be"),
    ("Knative: no window besides ours", "KR530-knative-refuses", "autoscaling.knative.dev/window"),
    ("Knative: timeoutSeconds ≤ 600", "KR104-knative-values", "`timeoutSeconds` should be"),
    ("Knative: containerConcurrency ≤ 1000", "KR104-knative-values", "`concurrency` should be"),
    ("Knative: minScale ≤ maxScale", "KR531-scale-bounds", "minScale `2` is more than"),
    ("Knative: the name leaves room for -00001", "KR505-knative-name-too-long", "too long for a Knative Service"),
    ("Gateway API: a host has at most 253 characters", "KR553-host-too-long", "longer than 253 characters"),
    ("Gateway API: a host leads to one workload", "KR527-duplicate-ingress-host", "leads to `a` already"),
    ("Gateway API: a BackendTLSPolicy needs a CA", "KR551-unverifiable-backend", "cannot verify the certificates"),
    ("cert-manager: kinds of its own group", "KR550-invalid-certificate", "`ClusterIsuer` is not a kind"),
    ("cert-manager: duration ≥ 1h", "KR550-invalid-certificate", "the shortest is an hour"),
    ("cert-manager: renewBefore ≥ 5m", "KR550-invalid-certificate", "five minutes at least"),
    ("cert-manager: renewBefore < duration", "KR550-never-renewed", "would never stop"),
    ("cert-manager: sizes of keys", "KR550-invalid-certificate", "`2048` is not a size of ECDSA keys"),
    ("Prometheus Operator: scrapeTimeout ≤ interval", "KR540-scrape-timeout-too-long", "longer than the interval"),
    (
        "Prometheus Operator: durations have no decimals",
        "KR104-observability-and-dapr",
        "`interval: 1.5m` is not valid",
    ),
    ("Prometheus Operator: a label selects monitors", "KR541-unlabelled-monitor", "has no label"),
    ("Dapr: length of an app id", "KR542-app-id-too-long", "Dapr takes 58 for an app id"),
    ("Dapr: graceful shutdown within the grace period", "KR543-sidecar-outlives-pod", "the sidecar would stay `45` s"),
    ("Dapr: ports of the pod", "KR544-sidecar-port-clash", "port `8080` is taken"),
    ("Dapr: credentials by Secret", "KR545-inline-component-secret", "is a credential and stands in the spec"),
    ("Dapr: a component has a type", "KR104-observability-and-dapr", "`type: redis` is not valid"),
    ("External Secrets: a duration as Go prints it", "KR104-external-secrets", "`refreshInterval: 1h` is not valid"),
    ("External Secrets: kinds of stores", "KR104-external-secrets", "`kind: Vault` is not accepted"),
)
# Kept by construction, and proved over everything that is rendered by test_webhooks.py and test_manifests.py: strings
# in metadata, metricType, no useCachedMetrics or scalingModifiers, one ScaledObject a workload, exactly one of port and
# portName, one container port named http1, probe ports, literal namespace, container securityContext, no lifecycle.
# Ports, variables, claims and writable volumes that tools or features add: tests/unit/test_knative.py.


@pytest.mark.parametrize(("rule", "case", "part"), RULES, ids=[rule for rule, _, _ in RULES])
def test_the_rule_is_reported(rule: str, case: str, part: str) -> None:
    """The report of the case, which tests/test_diagnostics.py compares with what the command prints."""
    assert part in (CASES / "diagnostics" / case / "expected.txt").read_text(encoding="utf-8")


def test_rules_are_listed_once() -> None:
    """A table, not a heap."""
    assert len({rule for rule, _, _ in RULES}) == len(RULES)
