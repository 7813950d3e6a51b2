"""The audit log of Kubernetes in, Events out, under the names of `audit.k8s.io/v1` joined by dots.

Read are the log files (an `Event` a line) and what webhooks are sent (`EventList`, `items`). After the reference of
the kube-apiserver audit configuration. Rules ask for what a pod may do by short names: `capabilities` and `hostPath`
are those of all its containers and volumes, also where a template in another object tells them.
"""

from __future__ import annotations

from tocsin.collect.json_logs import JsonLog
from tocsin.collect.naming import Dotted

NAME = "kubernetes"
KIND = "kubernetes"

_PODS = ("requestObject.spec", "requestObject.spec.template.spec", "requestObject.spec.jobTemplate.spec.template.spec")
_CONTAINERS = tuple(f"{pod}.{of}" for pod in _PODS for of in ("containers", "initContainers", "ephemeralContainers"))

_LOG = JsonLog(
    naming=Dotted(
        times=("requestReceivedTimestamp", "stageTimestamp", "timestamp"),
        also={
            "apiGroup": ("objectRef.apiGroup",),
            "capabilities": tuple(f"{one}.securityContext.capabilities.add" for one in _CONTAINERS),
            "hostPath": tuple(f"{pod}.volumes.hostPath.path" for pod in _PODS),
        },
    ),
    keys=(frozenset({"auditID", "verb", "requestURI"}),),
    inner=frozenset({"items"}),
)
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
