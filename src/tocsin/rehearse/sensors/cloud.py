"""What somebody does in the cloud in, records of Microsoft 365's unified audit and of Entra out.

Unified audit: "Office 365 Management Activity API schema", one record a line. Entra: sign-in and audit logs as
diagnostic settings send them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson

from tocsin.rehearse.dice import digest
from tocsin.rehearse.rhythm import clock
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.world import Body

_TYPES: Final = {"ExchangeAdmin": 1, "ExchangeItem": 2, "SharePointFileOperation": 6, "AzureActiveDirectory": 8}
# What Entra writes for programs that sign in without a browser, by old protocols.
OLD_PROGRAM: Final = "CBAInPROD"
_ITEMS_ACCESSED: Final = 50
_REASONS: Final = {50126: "Invalid username or password", 50074: "Strong Authentication is required"}


def identity(*names: str) -> str:
    """A GUID that stands for something by its names."""
    text = digest("cloud", *names)
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-9{text[17:20]}-{text[20:32]}"


def audit(
    scene: Scene, body: Body, ts_us: int, user: str, operation: str, workload: str, kind: str, client: str, more: Any
) -> None:
    """A record of the unified audit log; `more` are the fields of its kind."""
    record = {
        "CreationTime": clock(ts_us)[:19],
        "Id": scene.dice.guid(),
        "Operation": operation,
        "OrganizationId": body.tenant,
        "RecordType": _ITEMS_ACCESSED if operation == "MailItemsAccessed" else _TYPES[kind],
        "ResultStatus": "Succeeded" if workload == "Exchange" else "Success",
        "UserKey": digest("key", user)[:16].upper(),
        "UserType": 2 if kind == "ExchangeAdmin" else 0,
        "Version": 1,
        "Workload": workload,
        "ClientIP": client,
        "UserId": user,
        **more,
    }
    # The service tells of what happened many minutes later, and not in order.
    late = ts_us + 240_000_000 + scene.dice.below(1_500_000_000)
    stream = scene.tape.stream(f"cloud/{body.key}/audit-{{day}}.jsonl")
    scene.tape.put(stream, late, orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE), scene.mark)


@dataclass(slots=True, kw_only=True)  # not frozen: of these there are as many as records
class SignIn:
    """How somebody signs in.

    Args:
        used: the kind of client; `place` is city and country.
        federated: True if the house's own federation server vouches for them; `request` is what both call the request.
    """

    client: str
    app: str = "Office 365 Exchange Online"
    used: str = "Mobile Apps and Desktop clients"
    place: tuple[str, str] = ("Wellington", "NZ")
    system: str = "Windows10"
    agent: str = "-"
    error: int = 0
    single: bool = False
    compliant: bool = True
    federated: bool = False
    request: str = ""


def sign_in(scene: Scene, body: Body, ts_us: int, user: str, name: str, how: SignIn) -> None:
    """A sign-in to Entra."""
    stamp = clock(ts_us, micro=True) + "0Z"
    record = {
        "time": stamp,
        "resourceId": f"/tenants/{body.tenant}/providers/Microsoft.aadiam",
        "operationName": "Sign-in activity",
        "operationVersion": "1.0",
        "category": "SignInLogs",
        "tenantId": body.tenant,
        "resultType": str(how.error),
        "resultSignature": "None",
        "callerIpAddress": how.client,
        "correlationId": how.request or scene.dice.guid(),
        "identity": name,
        "Level": 4,
        "properties": {"id": scene.dice.guid(), "createdDateTime": stamp, **_signed(user, name, how)},
    }
    late = ts_us + 60_000_000 + scene.dice.below(240_000_000)
    stream = scene.tape.stream(f"cloud/{body.key}/sign-ins-{{day}}.jsonl")
    scene.tape.put(stream, late, orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE), scene.mark)


def _signed(user: str, name: str, how: SignIn) -> dict[str, Any]:
    reason = {"failureReason": _REASONS.get(how.error, "Other")} if how.error else {}
    return {
        "userDisplayName": name,
        "userPrincipalName": user,
        "userId": identity(user),
        "appId": identity("app", how.app),
        "appDisplayName": how.app,
        "ipAddress": how.client,
        "clientAppUsed": how.used,
        "userAgent": how.agent,
        "status": {"errorCode": how.error, **reason},
        "deviceDetail": {
            "deviceId": identity("device", user, how.system) if how.compliant else "",
            "operatingSystem": how.system,
            "browser": "Edge 140.0" if how.used == "Browser" else "",
            "isCompliant": how.compliant,
            "isManaged": how.compliant,
        },
        "location": {"city": how.place[0], "countryOrRegion": how.place[1]},
        "authenticationRequirement": "singleFactorAuthentication" if how.single else "multiFactorAuthentication",
        "conditionalAccessStatus": "notApplied" if how.single else "success",
        "riskLevelDuringSignIn": "none",
        "riskState": "none",
        "isInteractive": how.used == "Browser",
        "tokenIssuerType": "ADFederationServices" if how.federated else "AzureAD",
    }


def directory(
    scene: Scene,
    body: Body,
    ts_us: int,
    user: str,
    operation: str,
    category: str,
    client: str,
    targets: Any,
    *,
    request: str = "",
) -> None:
    """A change of the directory, in Entra's audit log; changes of one `request` belong together."""
    stamp = clock(ts_us, micro=True) + "0Z"
    record = {
        "time": stamp,
        "resourceId": f"/tenants/{body.tenant}/providers/Microsoft.aadiam",
        "operationName": operation,
        "operationVersion": "1.0",
        "category": "AuditLogs",
        "tenantId": body.tenant,
        "resultSignature": "None",
        "correlationId": request or scene.dice.guid(),
        "Level": 4,
        "properties": {
            "id": f"Directory_{scene.dice.guid()}",
            "category": category,
            "result": "success",
            "activityDisplayName": operation,
            "activityDateTime": stamp,
            "loggedByService": "Core Directory",
            "operationType": operation.partition(" ")[0],
            "initiatedBy": {
                "user": {"id": identity(user), "userPrincipalName": user, "ipAddress": client, "roles": []}
            },
            "targetResources": targets,
            "additionalDetails": [],
        },
    }
    late = ts_us + 60_000_000 + scene.dice.below(240_000_000)
    stream = scene.tape.stream(f"cloud/{body.key}/directory-{{day}}.jsonl")
    scene.tape.put(stream, late, orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE), scene.mark)
