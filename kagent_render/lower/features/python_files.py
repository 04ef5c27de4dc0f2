"""The files with the functions of tools: where they are in the pod, and which modules may be imported."""

from __future__ import annotations

import hashlib
import json

from kagent_render.catalog.base import Contribution, Mount, Variable
from kagent_render.lower.workload import Workload

# Not below /etc/kagent: that is a read-only ConfigMap, in which no mount point can be made.
FOLDER = "/etc/kagent-python"


def contribute(workload: Workload) -> Contribution:
    """A variable, the mount, and what rolls the pods when a file changes; nothing without such a tool."""
    if not workload.python_files:
        return Contribution()
    checksum = hashlib.sha256(json.dumps(workload.python_files).encode()).hexdigest()
    return Contribution(
        variables=frozenset({Variable("KAGENT_PYTHON_PATH", FOLDER)}),
        mounts=frozenset({Mount("python", FOLDER, config_map=workload.python_config_map)}),
        pod_annotations=frozenset({("checksum/python", checksum)}),
    )
