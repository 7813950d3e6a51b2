"""Entra ID and Azure activity in, Events out: sign-ins, audit, risk detections, PIM findings, management operations.

Read are the three shapes in which Microsoft hands them out: the records of diagnostic settings (Event Hub, storage;
`time`, `category`, `properties`), the tables of Log Analytics (`SigninLogs`, `AuditLogs`, `AzureActivity`,
`AADUserRiskEvents`) and the objects of Graph and of the activity log's REST interface (`value`). After the reference
of Azure Monitor ("Resource log schema", "Log Analytics tables") and of Graph v1.0 (`signIn`, `directoryAudit`,
`riskDetection`, `unifiedRoleManagementAlertIncident`).

Sigma's rules take their names from all of these, so that one value has several; `log` is Sigma's name of the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from tocsin.collect.exported import Exported
from tocsin.collect.json_logs import JsonLog, Record, anywhere, lift_pairs, unfold
from tocsin.collect.naming import Dotted

NAME = "azure"
KIND = "azure"

_SIGN_INS, _AUDIT, _ACTIVITY, _RISKS, _PIM = "signinlogs", "auditlogs", "activitylogs", "riskdetection", "pim"
_BY_TABLE: Final = {
    **dict.fromkeys(("auditlogs",), _AUDIT),
    **dict.fromkeys(("azureactivity",), _ACTIVITY),
    **dict.fromkeys(("userriskevents", "serviceprincipalriskevents", "riskyusers", "riskyserviceprincipals"), _RISKS),
    **{
        f"{who}signinlogs": _SIGN_INS
        for who in ("", "noninteractiveuser", "serviceprincipal", "managedidentity", "adfs")
    },
    **dict.fromkeys(
        (
            *("administrative", "security", "servicehealth", "alert", "recommendation", "policy", "autoscale"),
            *("resourcehealth", "action", "write", "delete"),
        ),
        _ACTIVITY,
    ),
}
# Where no table or category is named: a key that only one of the logs has.
_BY_KEY: Final = {
    "activityDisplayName": _AUDIT,
    "LoggedByService": _AUDIT,
    "riskEventType": _RISKS,
    "RiskEventType": _RISKS,
    "conditionalAccessStatus": _SIGN_INS,
    "ConditionalAccessStatus": _SIGN_INS,
    "clientAppUsed": _SIGN_INS,
    "OperationNameValue": _ACTIVITY,
    "eventTimestamp": _ACTIVITY,
    "authorization": _ACTIVITY,
}
_PIM_TYPE = re.compile(r"#microsoft\.graph\.(\w+Alert(?:Incident|Configuration))")
_PROTOCOLS: Final = {"deviceCode": "Device Code", "ropc": "ROPC"}
_FOLDED: Final = (
    *("AdditionalDetails", "InitiatedBy", "TargetResources", "Authorization", "Claims", "HTTPRequest", "Properties"),
    *("Authorization_d", "Claims_d", "Properties_d", "AuthenticationDetails", "AuthenticationProcessingDetails"),
    *("ConditionalAccessPolicies", "DeviceDetail", "LocationDetails", "MfaDetail", "Status", "properties"),
    *("AuthenticationRequirementPolicies", "TokenProtectionStatusDetails", "target", "keyEvents", "AdditionalInfo"),
)
_OPERATION: Final = (
    *("OperationNameValue", "operationName.value", "operationName", "OperationName"),
    *("activityDisplayName", "properties.activityDisplayName", "ActivityDisplayName", "properties.operationName"),
)
_ACTIVITY_NAME: Final = (*anywhere("activityDisplayName"), "operationName", "OperationName")
_BY: Final = anywhere("initiatedBy.user.userPrincipalName", "initiatedBy.app.displayName")
_REASON: Final = (
    *("resultDescription", "ResultDescription", "ResultReason", "resultReason", "properties.resultReason"),
    *anywhere("status.failureReason"),
)
_RESULT_CODE: Final = ("resultType", "ResultType", *anywhere("status.errorCode"))


def _shape(record: Record) -> None:
    unfold(record, *_FOLDED)
    inner = record.get("properties")
    properties: Record = inner if type(inner) is dict else {}
    log = _log(record, properties)
    if "log" in record:
        record["log_"] = record["log"]
    record["log"] = log
    if log == _SIGN_INS:
        _shape_sign_in(record, properties)
    elif log == _AUDIT:
        for name in ("activityDisplayName", "ActivityDisplayName", "operationName", "OperationName"):
            activity = _text(record, name) or _text(properties, name)
            if activity != activity.strip():  # `Update application – Certificates and secrets management `
                record["audit_activity"] = activity.strip()
                break
        for target in _targets(record, properties):
            # `newValue` is JSON text in JSON text: "\"False\"".
            changes = [
                {**change, "newValue": _unquoted(change.get("newValue"))}
                for change in target.get("modifiedProperties") or ()
                if type(change) is dict
            ]
            lift_pairs(record, changes, "displayName", "newValue")
    elif log == _PIM:
        found = list(_pim_types(record))
        record.setdefault("riskEventType", found if len(found) > 1 else found[0])


def _log(record: Record, properties: Record) -> str | None:
    """Which of the logs a record is from; None if that cannot be told."""
    if next(_pim_types(record), None):
        return _PIM
    if "activityDisplayName" in record:
        return _AUDIT  # whose categories may be called like those of the activity log: `Policy`
    category = record.get("category")
    named = (_text(record, "Type"), _text(category, "value") if type(category) is dict else _text(record, "category"))
    for name in named:
        if (log := _BY_TABLE.get(name.lower().removeprefix("aad"))) is not None:
            return log
    return next((log for key, log in _BY_KEY.items() if key in record or key in properties), None)


def _pim_types(record: Record) -> Iterator[str]:
    """What kinds of findings of PIM a record is, or holds."""
    inner = record.get("alertIncidents")
    for holder in (record, *(inner if type(inner) is list else ())):
        found = _PIM_TYPE.match(_text(holder, "@odata.type")) if type(holder) is dict else None
        if found:
            yield found[1]


def _shape_sign_in(record: Record, properties: Record) -> None:
    """Say what the portal's columns say: whether it succeeded and why not, and how it was made."""
    status = next((s for s in (record.get("status"), record.get("Status"), properties.get("status")) if s), None)
    words: list[Any] = []
    if type(status) is dict and "errorCode" in status:
        words = ["Success" if status["errorCode"] in (0, "0") else "Failure"]
        words += [status[key] for key in ("failureReason", "additionalDetails") if status.get(key)]
        record["sign_in_status"] = words
    protocol = (
        record.get("authenticationProtocol")
        or record.get("AuthenticationProtocol")
        or properties.get("authenticationProtocol")
    )
    if type(protocol) is str and protocol in _PROTOCOLS:
        record["sign_in_protocol"] = _PROTOCOLS[protocol]
    networks = properties.get("networkLocationDetails", record.get("networkLocationDetails"))
    if networks == []:
        record.setdefault("NetworkLocationDetails", "[]")


def _targets(record: Record, properties: Record) -> Iterator[Record]:
    for holder, key in ((record, "TargetResources"), (record, "targetResources"), (properties, "targetResources")):
        found = holder.get(key)
        yield from (target for target in (found if type(found) is list else ()) if type(target) is dict)


def _text(holder: Any, key: str) -> str:
    text = holder.get(key)
    return text if type(text) is str else ""


def _unquoted(value: Any) -> Any:
    return value[1:-1] if type(value) is str and len(value) > 1 and value[0] == value[-1] == '"' else value


_TARGETS: Final = "targetResources"
# Columns of the files that Entra's portal hands out -> what Graph calls them.
_PORTAL: Final = {
    frozenset({"Date (UTC)", "Request ID", "Application", "Username"}): {
        "Date (UTC)": "createdDateTime",
        "Request ID": "id",
        "User agent": "userAgent",
        "Correlation ID": "correlationId",
        "User ID": "userId",
        "User": "userDisplayName",
        "Username": "userPrincipalName",
        "User type": "userType",
        "Application": "appDisplayName",
        "Application ID": "appId",
        "Resource": "resourceDisplayName",
        "Resource ID": "resourceId",
        "Home tenant ID": "homeTenantId",
        "Resource tenant ID": "resourceTenantId",
        "IP address": "ipAddress",
        "Location": "location",
        "Sign-in error code": "resultType",
        "Failure reason": "resultDescription",
        "Client app": "clientAppUsed",
        "Conditional Access": "conditionalAccessStatus",
        "Authentication requirement": "authenticationRequirement",
    },
    frozenset({"Date (UTC)", "CorrelationId", "Service", "Category", "Activity"}): {
        "Date (UTC)": "activityDateTime",
        "CorrelationId": "correlationId",
        "Service": "loggedByService",
        "Category": "category",
        "Activity": "activityDisplayName",
        "Result": "result",
        "ResultReason": "resultReason",
        "ActorUserPrincipalName": "initiatedBy.user.userPrincipalName",
        "IPAddress": "ipAddress",
    },
}
_LOG = JsonLog(
    naming=Dotted(
        times=(
            *anywhere("activityDateTime", "createdDateTime", "detectedDateTime"),
            *("eventTimestamp", "EventSubmissionTimestamp", "time", "TimeGenerated", "@timestamp", "DetectedDateTime"),
            "lastModifiedDateTime",
        ),
        # In diagnostic settings the category is the log's, and Entra's own stands below.
        names={"properties.category": "category"},
        also={
            "ActivityDetails": ("OperationName", "operationName"),
            "ActivityDisplayName": _ACTIVITY_NAME,
            "ActivityType": _ACTIVITY_NAME,
            "activityType": _ACTIVITY_NAME,
            "additionalDetails.additionalInfo": anywhere("additionalDetails.value"),
            "AuthenticationRequirement": anywhere("authenticationRequirement"),
            "properties.authenticationRequirement": anywhere("authenticationRequirement"),
            "callerIpAddress": ("CallerIpAddress", *anywhere("ipAddress"), "IPAddress"),
            "Category": ("properties.category", "category", "CategoryValue", "category.value"),
            "category": ("Category", "category.value"),
            "CategoryValue": ("category.value", "category", "Category"),
            "ClientApp": anywhere("clientAppUsed"),
            "conditionalAccessStatus": anywhere("conditionalAccessStatus"),
            "DeviceDetail.deviceId": anywhere("deviceDetail.deviceId"),
            "DeviceDetail.isCompliant": anywhere("deviceDetail.isCompliant"),
            "DeviceDetail.trusttype": anywhere("deviceDetail.trustType"),
            "properties.deviceDetail.deviceId": anywhere("deviceDetail.deviceId"),
            "failure_status_reason": _REASON,
            "homeTenantId": anywhere("homeTenantId"),
            "resourceTenantId": anywhere("resourceTenantId"),
            "Initiatedby": _BY,
            "Initiatied.By": _BY,
            "properties.initiatedBy": _BY,
            "location": ("Location", *anywhere("location.countryOrRegion"), "LocationDetails.countryOrRegion"),
            "LoggedByService": anywhere("loggedByService"),
            "NetworkLocationDetails": anywhere("networkLocationDetails"),
            "OperationName": _OPERATION,
            "operationName": _OPERATION,
            "OperationNameValue": _OPERATION,
            "properties.appId": anywhere("appId"),
            "properties.message": ("sign_in_protocol", "audit_activity", *_ACTIVITY_NAME, *_OPERATION),
            "properties.result": anywhere("result"),
            "ResourceDisplayName": anywhere("resourceDisplayName"),
            "ResourceId": ("resourceId", "_ResourceId"),
            "ResourceProviderValue": ("resourceProviderName.value", "ResourceProvider"),
            "ResultDescription": _REASON,
            "Resultdescription": _REASON,
            "ResultType": _RESULT_CODE,
            "resultType": _RESULT_CODE,
            "riskEventType": anywhere("riskEventType", "riskType"),
            "RiskState": anywhere("riskState"),
            "riskLevelDuringSignIn": anywhere("riskLevelDuringSignIn"),
            "riskEventTypes_v2": (*anywhere("riskEventTypes_v2"), "RiskEventTypes_V2", *anywhere("riskEventTypes")),
            "autonomousSystemNumber": anywhere("autonomousSystemNumber"),
            "servicePrincipalId": anywhere("servicePrincipalId"),
            "sessionId": anywhere("sessionId"),
            "incomingTokenType": anywhere("incomingTokenType"),
            "appDisplayName": anywhere("appDisplayName"),
            "Status": ("sign_in_status", *anywhere("result"), "status.value", "ActivityStatusValue", "resultType"),
            "Target": anywhere("targetResources.userPrincipalName"),
            "TargetResources": (_TARGETS, "properties.targetResources"),
            "properties.targetResources": (_TARGETS, "TargetResources"),
            "targetResources.type": anywhere("targetResources.type"),
            **{
                name: anywhere("targetResources.modifiedProperties")
                for name in ("TargetResources.modifiedProperties", "TargetResources.ModifiedProperties")
            },
            "TargetResources.modifiedProperties.newValue": anywhere("targetResources.modifiedProperties.newValue"),
            "TargetResources.ModifiedProperties.NewValue": anywhere("targetResources.modifiedProperties.newValue"),
            "TargetResources.ModifiedProperties.DisplayName": anywhere(
                "targetResources.modifiedProperties.displayName"
            ),
            "userAgent": anywhere("userAgent"),
            "Username": (*anywhere("userPrincipalName"), "Identity", "identity"),
        },
    ),
    keys=(
        frozenset({"OperationName", "LoggedByService"}),
        frozenset({"AppDisplayName", "UserPrincipalName", "ResultType"}),
        frozenset({"AppId", "ServicePrincipalId", "ResultType", "ResourceDisplayName"}),
        frozenset({"OperationNameValue", "CategoryValue"}),
        frozenset({"RiskEventType", "RiskState"}),
        frozenset({"operationName", "category", "time", "resourceId"}),
        frozenset({"operationName", "category", "time", "tenantId"}),
        frozenset({"operationName", "eventTimestamp", "subscriptionId"}),
        frozenset({"activityDisplayName", "activityDateTime"}),
        frozenset({"createdDateTime", "appDisplayName", "conditionalAccessStatus"}),
        frozenset({"riskEventType", "riskState"}),
    ),
    mark=re.compile(rb'"#microsoft\.graph\.\w{1,80}Alert(?:Incident|Configuration)"'),
    inner=frozenset({"value", "records"}),
    shape=_shape,
)
_READER: Final = Exported(_LOG, _PORTAL)
sniff, ranges, cut = _READER.sniff, _READER.ranges, _READER.cut
decoder, fields = _READER.decoder, _READER.fields
