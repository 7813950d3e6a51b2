"""Findings of Amazon GuardDuty in, Events out, under GuardDuty's own names joined by dots.

After the GuardDuty user guide ("Finding format", "Exporting findings": JSON lines) and the API reference (`Finding`;
`get-findings` begins keys with a capital letter, and here they have the small one of the exports). What EventBridge
carries (`detail`) is read as the finding that it is. A finding stands for what was seen from `eventFirstSeen` to
`eventLastSeen`; its time is the latter.
"""

from __future__ import annotations

from typing import Any, Final

from tocsin.collect.json_logs import JsonLog, Record, lift
from tocsin.collect.naming import Dotted

NAME = "guardduty"
KIND = "guardduty"

_ACTIONS: Final = tuple(
    f"service.action.{action}.remoteIpDetails"
    for action in (
        *("networkConnectionAction", "awsApiCallAction", "kubernetesApiCallAction", "rdsLoginAttemptAction"),
        "portProbeAction.portProbeDetails",
    )
)
_DEEPEST: Final = 24


def _shape(record: Record) -> None:
    if "detail" in record and "detail-type" in record:
        lift(record, "detail")
    if "AccountId" in record:
        small = _small(record)
        record.clear()
        record.update(small)


def _small(value: Any, depth: int = 0) -> Any:
    """A value whose keys begin with a small letter, but for tags: their keys are people's."""
    if depth > _DEEPEST:
        return value
    if type(value) is dict:
        return {
            key[:1].lower() + key[1:] if key[:1].lower() + key[1:] not in value else key: _small(below, depth + 1)
            for key, below in value.items()
        }
    return [_small(one, depth + 1) for one in value] if type(value) is list else value


_LOG = JsonLog(
    naming=Dotted(
        times=("service.eventLastSeen", "updatedAt", "createdAt"),
        also={
            "src_ip": tuple(f"{action}.{name}" for action in _ACTIONS for name in ("ipAddressV4", "ipAddressV6")),
            "query": ("service.action.dnsRequestAction.domain",),
        },
    ),
    shape=_shape,
    inner=frozenset({"Findings", "findings"}),
    keys=(
        frozenset({"schemaVersion", "accountId", "detectorId", "severity", "resource"}),
        frozenset({"SchemaVersion", "AccountId", "DetectorId", "Severity", "Resource"}),
    ),
)
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
