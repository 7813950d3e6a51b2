"""A kind of log source in, the names under which its records carry the parts that an incident is joined by out.

A shape is some records of a kind, told by their fields, with what they report (`act`) and the names of each part
(`role`). Windows events as Microsoft documents them event by event ("Appendix L: Events to Monitor", Sysmon's manual);
the others as the readers in `collect` name their fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

Act: TypeAlias = Literal["", "start", "end", "logon", "logoff", "refused", "contact", "inject", "use"]
ACTS: Final[tuple[Act, ...]] = get_args(Act)

Role: TypeAlias = Literal[
    "guid",  # of the process that acts; `pid` its number
    "pid",
    "parent_guid",
    "parent_pid",
    "target_guid",  # a process that the acting one writes into
    "target_pid",
    "logon",  # the session that it acts in
    "new_logon",  # the session that begins or ends
    "linked_logon",  # the other half of a session that was split for elevation
    "account",  # who acts
    "sid",  # the same, as a number
    "subject",  # the account that it is done to
    "subject_sid",
    "peer",  # the machine on the other side, by name
    "peer_address",  # by address
    "machine",  # by its own account, NAME$
    "own_port",
    "peer_port",
    "own_address",  # of the machine that writes
    "address",  # a client's, where the writer is a service
    "hash",
    "domain",
    "file",
    "mail",
    "session",  # of a connection or a service
    "principal",
    "application",  # that acts for somebody in a cloud
    "let_in",  # one that something was done to: consent was given, rights were added
    "image",
    "command",
    "parent_image",
    "how",  # the type of a logon, the port of a connection
]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

# A name, or a pair that is written DOMAIN\NAME.
Name: TypeAlias = str | tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Records of a kind whose fields hold, each, one of some texts (lower case); of a role, the first name counts.

    `inward` says that the other side asked for it.
    """

    roles: Mapping[Role, tuple[Name, ...]]
    gate: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    act: Act = ""
    inward: bool = False


_SYSMON_LOG: Final = ("microsoft-windows-sysmon/operational", "linux-sysmon/operational")
_ACTOR: Final[Mapping[Role, tuple[Name, ...]]] = {
    "guid": ("ProcessGuid", "SourceProcessGuid", "SourceProcessGUID"),
    "pid": ("ProcessId", "SourceProcessId"),
    "account": ("User", "SourceUser"),
    "image": ("Image", "SourceImage"),
    "file": ("TargetFilename",),
    "hash": ("Hashes",),
}


def _sysmon(log: Mapping[str, tuple[str, ...]]) -> tuple[Shape, ...]:
    return (
        Shape(
            gate={**log, "EventID": ("1",)},
            act="start",
            roles={
                **_ACTOR,
                "parent_guid": ("ParentProcessGuid",),
                "parent_pid": ("ParentProcessId",),
                "logon": ("LogonId",),
                "command": ("CommandLine",),
                "parent_image": ("ParentImage",),
                "file": ("Image",),
            },
        ),
        Shape(
            gate={**log, "EventID": ("3",), "Initiated": ("true",)},
            act="contact",
            roles={
                **_ACTOR,
                "own_address": ("SourceIp",),
                "own_port": ("SourcePort",),
                "peer": ("DestinationHostname",),
                "peer_address": ("DestinationIp",),
                "peer_port": ("DestinationPort",),
                "how": ("DestinationPort",),
            },
        ),
        Shape(
            gate={**log, "EventID": ("3",)},
            act="contact",
            inward=True,
            roles={
                **_ACTOR,
                "own_address": ("DestinationIp",),
                "own_port": ("DestinationPort",),
                "peer": ("SourceHostname",),
                "peer_address": ("SourceIp",),
                "peer_port": ("SourcePort",),
                "how": ("DestinationPort",),
            },
        ),
        Shape(
            gate={**log, "EventID": ("8", "25")},
            act="inject",
            roles={
                **_ACTOR,
                "target_guid": ("TargetProcessGuid", "TargetProcessGUID"),
                "target_pid": ("TargetProcessId",),
            },
        ),
        Shape(gate={**log, "EventID": ("5",)}, act="end", roles=_ACTOR),
        Shape(gate={**log, "EventID": ("13",)}, roles={**_ACTOR, "file": ("Details",)}),
        Shape(gate=log, roles={**_ACTOR, "domain": ("QueryName",)}),
    )


_SECURITY: Final[Mapping[str, tuple[str, ...]]] = {"Channel": ("security",)}
_SUBJECT: Final[Mapping[Role, tuple[Name, ...]]] = {
    "logon": ("SubjectLogonId",),
    "account": (("SubjectDomainName", "SubjectUserName"), "SubjectUserName"),
    "sid": ("SubjectUserSid",),
    "subject": (("TargetDomainName", "TargetUserName"), "TargetUserName"),
    "subject_sid": ("TargetSid",),
}
_WHO_LOGS_ON: Final[Mapping[Role, tuple[Name, ...]]] = {
    "logon": ("SubjectLogonId",),
    "new_logon": ("TargetLogonId",),
    "linked_logon": ("TargetLinkedLogonId",),
    "account": (("TargetDomainName", "TargetUserName"), "TargetUserName"),
    "sid": ("TargetUserSid",),
    "peer": ("WorkstationName", "Workstation"),
    "peer_address": ("IpAddress",),
    "peer_port": ("IpPort",),
    "machine": ("TargetUserName",),
    "how": ("LogonType",),
}

_WINDOWS_SECURITY: Final = (
    Shape(
        gate={**_SECURITY, "EventID": ("4688",)},
        act="start",
        roles={
            "pid": ("NewProcessId",),
            "parent_pid": ("ProcessId",),
            **_SUBJECT,
            "new_logon": ("TargetLogonId",),
            "image": ("NewProcessName",),
            "file": ("NewProcessName",),
            "command": ("CommandLine",),
            "parent_image": ("ParentProcessName",),
        },
    ),
    Shape(gate={**_SECURITY, "EventID": ("4624",)}, act="logon", inward=True, roles=_WHO_LOGS_ON),
    Shape(
        gate={**_SECURITY, "EventID": ("4625", "4768", "4769", "4771", "4776")},
        act="refused",  # or a ticket: no session begins on this machine, but somebody asked it for one
        inward=True,
        roles={**_WHO_LOGS_ON, "new_logon": ()},
    ),
    Shape(gate={**_SECURITY, "EventID": ("4634", "4647")}, act="logoff", roles=_WHO_LOGS_ON),
    Shape(
        gate={**_SECURITY, "EventID": ("4648",)},
        act="contact",
        roles={**_SUBJECT, "pid": ("ProcessId",), "peer": ("TargetServerName",), "image": ("ProcessName",)},
    ),
    Shape(
        gate={**_SECURITY, "EventID": ("5140", "5145")},
        act="contact",
        inward=True,
        roles={
            **_SUBJECT,
            "peer_address": ("IpAddress",),
            "peer_port": ("IpPort",),
            "machine": ("SubjectUserName",),
            "how": ("ShareName",),
        },
    ),
    Shape(
        gate={**_SECURITY, "EventID": ("5156",), "Direction": ("%%14593", "outbound")},
        act="contact",
        roles={
            "pid": ("ProcessID", "ProcessId"),
            "image": ("Application",),
            "own_address": ("SourceAddress",),
            "own_port": ("SourcePort",),
            "peer_address": ("DestAddress",),
            "peer_port": ("DestPort",),
            "how": ("DestPort",),
        },
    ),
    Shape(
        gate={**_SECURITY, "EventID": ("5156",)},
        act="contact",
        inward=True,
        roles={
            "pid": ("ProcessID", "ProcessId"),
            "image": ("Application",),
            "own_address": ("DestAddress",),
            "own_port": ("DestPort",),
            "peer_address": ("SourceAddress",),
            "peer_port": ("SourcePort",),
            "how": ("DestPort",),
        },
    ),
    Shape(
        gate={**_SECURITY, "EventID": ("4689",)},
        act="end",
        roles={**_SUBJECT, "pid": ("ProcessId",), "image": ("ProcessName",)},
    ),
    Shape(
        gate=_SECURITY, roles={**_SUBJECT, "pid": ("ProcessId", "ClientProcessId"), "image": ("ProcessName", "Image")}
    ),
)

_SERVICES_INSTALLED: Final = (
    Shape(gate={"Channel": ("system",), "EventID": ("7045",)}, roles={"file": ("ImagePath",)}),
    Shape(gate={**_SECURITY, "EventID": ("4697",)}, roles={**_SUBJECT, "file": ("ServiceFileName",)}),
)
# The process that writes to these logs is the one that acts; elsewhere it is the service that keeps the log.
_WINDOWS_BY_WRITER: Final = Shape(
    gate={
        "Channel": (
            "microsoft-windows-powershell/operational",
            "powershellcore/operational",
            "microsoft-windows-dns-client/operational",
            "microsoft-windows-bits-client/operational",
        )
    },
    roles={
        "pid": ("Execution_ProcessID",),
        "account": (("Domain", "AccountName"), ("user.domain", "user.name")),
        "sid": ("Security_UserID", "UserID"),
        "domain": ("QueryName",),
    },
)
_WINDOWS_OTHER: Final = Shape(
    roles={
        "pid": ("ClientProcessId",),  # WMI activity
        "account": ("User", ("SubjectDomainName", "SubjectUserName")),
        "sid": ("Security_UserID",),
    }
)

_CLIENT_OF_CLOUD: Final[Mapping[str, Mapping[Role, tuple[Name, ...]]]] = {
    "aws": {
        "principal": ("userIdentity.arn", "userIdentity.userName", "userIdentity.principalId"),
        "session": ("userIdentity.accessKeyId",),
        "address": ("sourceIPAddress",),
    },
    "azure": {
        "principal": (
            "userPrincipalName",
            "properties.userPrincipalName",
            "properties.initiatedBy.user.userPrincipalName",
            "InitiatedBy.user.userPrincipalName",
            "Username",
            "identity",
            "Identity",
        ),
        "session": ("CorrelationId", "correlationId", "properties.correlationId"),
        "application": ("properties.appId",),
        "let_in": ("properties.targetResources.id",),
        "address": ("callerIpAddress", "ipAddress", "properties.ipAddress", "properties.initiatedBy.user.ipAddress"),
    },
    "bitbucket": {"principal": ("author.name",), "address": ("source",)},
    "duo": {"principal": ("user.name", "username"), "address": ("access_device.ip",)},
    "gcp": {
        "principal": (
            "gcp.audit.authentication_info.principal_email",
            "protoPayload.authenticationInfo.principalEmail",
        ),
        "address": ("protoPayload.requestMetadata.callerIp",),
    },
    "github": {"principal": ("actor",), "address": ("actor_ip",)},
    "google_workspace": {"principal": ("actor.email",), "address": ("ipAddress",)},
    "kubernetes": {"principal": ("user.username",), "address": ("sourceIPs",)},
    "m365": {
        "principal": ("UserId", "Userid"),
        "session": ("SessionId", "AppAccessContext.AADSessionId"),
        "address": ("ClientIP", "ClientIPAddress"),
        "application": ("ClientAppId", "AppId", "AppAccessContext.ClientAppId"),
        "let_in": ("ObjectId",),
        "mail": ("InternetMessageId", "NetworkMessageId"),
    },
    "okta": {
        "principal": ("actor.alternateId",),
        "session": ("authenticationContext.externalSessionId",),
        "address": ("client.ipAddress",),
    },
    "onelogin": {"principal": ("actor_user_name", "user_name"), "address": ("ipaddr",)},
    "opencanary": {"peer_address": ("src_host",), "account": ("logdata.USERNAME",)},
    "webserver": {"address": ("c-ip",), "account": ("cs-username",)},
    "proxy": {
        "address": ("c-ip", "src_ip"),
        "account": ("cs-username",),
        "domain": ("r-dns", "cs-host", "c-uri-host"),
        "hash": ("hash",),
    },
    "antivirus": {"file": ("Filename", "FileName"), "hash": ("sha256", "SHA256", "Hash"), "account": ("User",)},
    "application": {"address": ("src_ip", "client")},
    "cisco": {"address": ("src_ip", "src"), "account": ("user",)},
}

# Where clouds say that somebody got in or was at work there; an attempt with a wrong password is no use of an account.
_USED: Final[Mapping[str, tuple[Shape, ...]]] = {
    "azure": tuple(
        Shape(gate={name: ("0",)}, act="use", roles=_CLIENT_OF_CLOUD["azure"])
        for name in ("resultType", "ResultType", "properties.status.errorCode")
    ),
    "m365": (
        Shape(gate={"Operation": ("userloginfailed",)}, roles=_CLIENT_OF_CLOUD["m365"]),
        Shape(act="use", roles=_CLIENT_OF_CLOUD["m365"]),
    ),
}

_NETWORK: Final[Mapping[Role, tuple[Name, ...]]] = {
    "own_address": ("id.orig_h", "src_ip", "src"),
    "own_port": ("id.orig_p", "src_port"),
    "peer_address": ("id.resp_h", "dest_ip", "dst_ip", "dst"),
    "peer_port": ("id.resp_p", "dest_port", "dst_port"),
    "session": ("uid", "flow_id"),
    "domain": ("query", "server_name", "host", "tls.sni", "http.hostname", "dns.rrname"),
    "how": ("id.resp_p", "dest_port", "dst_port"),
}

_UNIX: Final[Mapping[Role, tuple[Name, ...]]] = {
    "pid": ("pid", "ProcessId"),
    "parent_pid": ("ppid", "ParentProcessId"),
    "account": ("auid", "User", "user", "acct"),
    "logon": ("ses",),
    "image": ("exe", "Image", "program"),
    "command": ("CommandLine", "proctitle"),
}
_LINUX: Final[Mapping[Role, tuple[Name, ...]]] = {**_UNIX, "peer_address": ("src_ip", "rhost")}

# Kinds whose records are written by a machine that watches others: what they tell of is the client.
WATCHERS: Final = frozenset({"zeek", "suricata", "firewall", "dns", "proxy"})
_OF_A_MACHINE: Final = frozenset({"opencanary", "webserver", "proxy", "antivirus", "application", "cisco"})
# Kinds that have no machines: a service that many people's machines speak to.
SERVICES: Final = frozenset(_CLIENT_OF_CLOUD) - _OF_A_MACHINE

SHAPES: Final[Mapping[str, tuple[Shape, ...]]] = {
    "windows": (
        *_sysmon({"Channel": _SYSMON_LOG}),
        *_SERVICES_INSTALLED,
        *_WINDOWS_SECURITY,
        _WINDOWS_BY_WRITER,
        _WINDOWS_OTHER,
    ),
    "sysmon_linux": _sysmon({}),
    "macos": (Shape(gate={"log": ("process_creation",)}, act="start", roles=_UNIX), Shape(roles=_UNIX)),
    "auditd": (Shape(gate={"type": ("syscall",)}, act="start", roles=_UNIX), Shape(roles=_UNIX)),
    "linux": (
        Shape(gate={"program": ("sshd", "sshd-session")}, act="refused", inward=True, roles=_LINUX),
        Shape(roles=_LINUX),
    ),
    "zeek": (Shape(act="contact", roles=_NETWORK),),
    "suricata": (Shape(act="contact", roles=_NETWORK),),
    "firewall": (Shape(act="contact", roles={**_NETWORK, "account": ("user", "srcuser")}),),
    "dns": (Shape(roles={"own_address": ("src_ip", "client_ip"), "domain": ("query", "QueryName", "record_name")}),),
    **{kind: (*_USED.get(kind, ()), Shape(roles=roles)) for kind, roles in _CLIENT_OF_CLOUD.items()},
}


def _names(shape: Shape) -> frozenset[str]:
    names = [name for some in shape.roles.values() for name in some]
    parts = {part for name in names for part in ((name,) if isinstance(name, str) else name)}
    return frozenset(parts) | frozenset(shape.gate)


# What must be read of events so that they can be joined.
FIELDS: Final = frozenset(name for shapes in SHAPES.values() for shape in shapes for name in _names(shape))
