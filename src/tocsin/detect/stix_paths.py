"""STIX objects and their properties, and the fields of each kind of log in which they stand (STIX 2.1 section 6).

An event holds several objects of a type: both ends of a connection are addresses. A *slot* is one of them: its
properties, each with the fields that hold it. What a pattern asks of one object is asked of one slot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tocsin.detect.trees import Tree, any_of
from tocsin.model.rule import Pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """An object in an event: the type of it, its properties and their fields, and where it is there at all.

    A property's fields are alternatives. `folded` properties are compared without case, as their systems do it.
    """

    type: str
    fields: Mapping[str, tuple[str, ...]]
    gate: Tree = True
    folded: frozenset[str] = field(default_factory=frozenset)


def _where(name: str, *texts: str) -> Tree:
    return any_of(Pattern(name, "equals", text) for text in texts)


_WINDOWS_FOLDED: Final = (
    "name parent_directory_ref.path path key values[*].name account_login user_id image_ref.name binary_ref.name cwd"
    " image_ref.parent_directory_ref.path parent_ref.image_ref.name creator_user_ref.account_login"
)
_HASHES: Final = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512", "IMPHASH": "imphash"}


def _slot(kind: str, fields: Mapping[str, str], *, gate: Tree = True, folded: str = "") -> Slot:
    return Slot(
        type=kind,
        fields={path: tuple(names.split()) for path, names in fields.items()},
        gate=gate,
        folded=frozenset(folded.split()),
    )


def _addresses(*names: str) -> tuple[Slot, ...]:
    """Fields that hold an address or a name of a host."""
    return tuple(
        _slot(kind, {"value": f"{name}|{view}"})
        for name in names
        for kind, view in (("ipv4-addr", "v4"), ("ipv6-addr", "v6"), ("domain-name", "domain"))
    )


def _urls(*names: str) -> tuple[Slot, ...]:
    return tuple(
        one
        for name in names
        for one in (
            _slot("url", {"value": f"{name}|url"}),
            _slot("domain-name", {"value": f"{name}|urlhost"}),
        )
    )


def _mails(*names: str) -> tuple[Slot, ...]:
    return tuple(_slot("email-addr", {"value": f"{name}|mail"}) for name in names)


def _accounts(*names: str, folded: str = "") -> tuple[Slot, ...]:
    return tuple(
        _slot("user-account", {"account_login": f"{name}|login", "user_id": name}, folded=folded) for name in names
    )


def _traffic(src: str, dst: str, src_port: str = "", dst_port: str = "", protocols: str = "", **more: str) -> Slot:
    found = {"src_ref.value": src, "dst_ref.value": dst, "src_port": src_port, "dst_port": dst_port}
    found["protocols[*]"] = protocols
    return _slot("network-traffic", {**{path: names for path, names in found.items() if names}, **more})


def _file(path: str, hashes: str = "", *, gate: Tree = True, folded: str = _WINDOWS_FOLDED) -> tuple[Slot, ...]:
    """A file by its path, its folder, and its hashes where the log gives them for it."""
    fields = {"name": f"{path}|name", "parent_directory_ref.path": f"{path}|folder"}
    if hashes:
        fields |= {f"hashes.{name}": f"{hashes}|{view}" for name, view in _HASHES.items()}
    return (
        _slot("file", fields, gate=gate, folded=folded),
        _slot("directory", {"path": f"{path}|folder"}, gate=gate, folded=folded),
    )


def _process(*, image: str, line: str, pid: str = "", parent: Mapping[str, str] | None = None, **more: str) -> Slot:
    fields = {
        "command_line": line,
        "image_ref.name": " ".join(f"{name}|name" for name in image.split()),
        "binary_ref.name": " ".join(f"{name}|name" for name in image.split()),
        "image_ref.parent_directory_ref.path": " ".join(f"{name}|folder" for name in image.split()),
        "pid": pid,
        **(parent or {}),
        **more,
    }
    return _slot("process", {path: names for path, names in fields.items() if names}, folded=_WINDOWS_FOLDED)


_STARTED: Final = _process(
    image="Image NewProcessName",
    line="CommandLine ProcessCommandLine",
    pid="ProcessId",
    parent={
        "parent_ref.command_line": "ParentCommandLine",
        "parent_ref.image_ref.name": "ParentImage|name ParentProcessName|name",
        "parent_ref.pid": "ParentProcessId",
        "creator_user_ref.account_login": "User|login",
        **{f"image_ref.hashes.{name}": f"Hashes|{view}" for name, view in _HASHES.items()},
        "cwd": "CurrentDirectory",
    },
)
_SYSMON: Final = (
    _STARTED,
    _process(image="ParentImage ParentProcessName", line="ParentCommandLine", pid="ParentProcessId"),
    _process(image="SourceImage", line="", pid="SourceProcessId"),
    _process(image="TargetImage", line="", pid="TargetProcessId"),
    *_file("Image", "Hashes", gate=_where("EventID", "1")),
    *_file("ImageLoaded", "Hashes"),
    *_file("TargetFilename", "Hashes"),
    *(one for name in ("Image", "ParentImage", "SourceImage", "TargetImage", "NewProcessName") for one in _file(name)),
    _slot("file", {f"hashes.{name}": f"Hashes|{view}" for name, view in _HASHES.items()}),
    _slot("directory", {"path": "CurrentDirectory"}, folded=_WINDOWS_FOLDED),
    _traffic(
        "SourceIp|place SourceAddress|place",
        "DestinationIp|place DestAddress|place",
        "SourcePort",
        "DestinationPort DestPort",
        "Protocol",
    ),
    _traffic("SourceIp|place", "DestinationHostname|place", "SourcePort", "DestinationPort", "Protocol"),
    _slot("software", {"name": "Product", "vendor": "Company", "version": "FileVersion"}),
    *_accounts("User", folded=_WINDOWS_FOLDED),
)
_REGISTRY: Final = (
    _slot(
        "windows-registry-key",
        {"key": "TargetObject|keyfolder", "values[*].name": "TargetObject|name", "values[*].data": "Details"},
        gate=_where("EventID", "13", "14"),
        folded=_WINDOWS_FOLDED,
    ),
    _slot("windows-registry-key", {"key": "TargetObject|key"}, gate=_where("EventID", "12"), folded=_WINDOWS_FOLDED),
    _slot(
        "windows-registry-key",
        {"key": "ObjectName|key", "values[*].name": "ObjectValueName", "values[*].data": "NewValue"},
        gate=_where("EventID", "4657"),
        folded=_WINDOWS_FOLDED,
    ),
)
_WEB: Final = {
    "extensions.http-request-ext.request_method": "cs-method",
    "extensions.http-request-ext.request_value": "cs-uri-stem c-uri",
    "extensions.http-request-ext.request_header.User-Agent": "cs-user-agent c-useragent cs(User-Agent)",
    "extensions.http-request-ext.request_header.Host": "cs-host",
}

SLOTS: Final[Mapping[str, tuple[Slot, ...]]] = {
    "windows": (
        *_SYSMON,
        *_REGISTRY,
        *_addresses(
            *("SourceIp", "DestinationIp", "SourceAddress", "DestAddress", "IpAddress", "ClientAddress", "QueryName"),
            *("DestinationHostname", "SourceHostname", "RemoteAddress", "ClientIP"),
        ),
        *_urls("url", "Url"),
        *_accounts("TargetUserName", "SubjectUserName", "AccountName", folded=_WINDOWS_FOLDED),
        _slot("user-account", {"user_id": "TargetUserSid"}, folded=_WINDOWS_FOLDED),
        _slot("user-account", {"user_id": "SubjectUserSid"}, folded=_WINDOWS_FOLDED),
        *_file("ProcessName"),
        *_file("ObjectName"),
        _slot(
            "process",
            {
                "extensions.windows-service-ext.service_name": "ServiceName",
                "command_line": "ServiceFileName ImagePath",
            },
            gate=_where("EventID", "7045", "4697"),
        ),
    ),
    "sysmon_linux": (*_SYSMON, *_addresses("SourceIp", "DestinationIp", "DestinationHostname")),
    "auditd": (
        _process(image="exe", line="cmdline proctitle", pid="pid"),
        *_file("exe", folded=""),
        *_file("name", folded=""),
        *_accounts("acct", "auid_name"),
        *_addresses("addr", "hostname"),
    ),
    "linux": (
        *_addresses("src_ip", "dst_ip", "host"),
        *_accounts("user", "username"),
        _process(image="exe", line="command"),
    ),
    "macos": (_process(image="Image", line="CommandLine", pid="ProcessId"), *_file("Image"), *_file("TargetFilename")),
    "zeek": (
        *_addresses("id.orig_h", "id.resp_h", "query", "answers", "host", "server_name", "tx_hosts", "rx_hosts"),
        *_urls("url"),
        *_mails("mailfrom", "rcptto", "from", "to"),
        _traffic(
            "id.orig_h|place",
            "id.resp_h|place",
            "id.orig_p",
            "id.resp_p",
            "proto service",
            **{
                "extensions.http-request-ext.request_method": "method",
                "extensions.http-request-ext.request_value": "uri",
                "extensions.http-request-ext.request_header.User-Agent": "user_agent",
                "extensions.http-request-ext.request_header.Host": "host",
            },
        ),
        _slot("file", {"name": "filename", **{f"hashes.{name}": f"{view}|{view}" for name, view in _HASHES.items()}}),
        _slot(
            "x509-certificate",
            {
                "subject": "certificate.subject subject",
                "issuer": "certificate.issuer issuer",
                "serial_number": "certificate.serial",
                "hashes.SHA-1": "fingerprint|sha1",
                "hashes.SHA-256": "fingerprint|sha256",
            },
        ),
        _slot(
            "email-message",
            {
                "subject": "subject",
                "from_ref.value": "from|mail mailfrom|mail",
                "to_refs[*].value": "to|mail rcptto|mail",
            },
        ),
        *_accounts("user", "username"),
    ),
    "suricata": (
        *_addresses("src_ip", "dest_ip", "dst_ip", "http.hostname", "tls.sni", "dns.rrname", "dns.rdata"),
        *_urls("http.url", "http.http_refer"),
        _traffic(
            "src_ip|place",
            "dest_ip|place dst_ip|place",
            "src_port",
            "dest_port dst_port",
            "proto app_proto",
            **{
                "extensions.http-request-ext.request_method": "http.http_method",
                "extensions.http-request-ext.request_value": "http.url",
                "extensions.http-request-ext.request_header.User-Agent": "http.http_user_agent",
                "extensions.http-request-ext.request_header.Host": "http.hostname",
            },
        ),
        _slot(
            "file",
            {
                "name": "fileinfo.filename|name",
                **{f"hashes.{name}": f"fileinfo.{view}|{view}" for name, view in _HASHES.items()},
            },
        ),
        _slot(
            "x509-certificate",
            {"subject": "tls.subject", "issuer": "tls.issuerdn", "serial_number": "tls.serial"},
        ),
    ),
    "firewall": (
        *_addresses("src_ip", "dst_ip", "srcip", "dstip", "src", "dst", "hostname"),
        *_urls("url"),
        _traffic(
            "src_ip|place srcip|place",
            "dst_ip|place dstip|place",
            "src_port srcport",
            "dst_port dstport",
            "protocol proto",
        ),
        *_accounts("user", "username", "src_user"),
    ),
    "cisco": (
        *_addresses("src_ip", "dst_ip"),
        _traffic("src_ip|place", "dst_ip|place", "src_port", "dst_port", "protocol"),
    ),
    "dns": (
        *_addresses("query", "answer", "answers", "record_value", "src_ip", "client_ip", "QueryName"),
        _traffic("src_ip|place client_ip|place", "dst_ip|place", "src_port", "dst_port"),
    ),
    "proxy": (
        *_addresses("c-ip", "dst_ip", "src_ip", "r-ip", "s-ip", "cs-host", "r-dns", "r-host"),
        *_urls("c-uri", "cs-uri", "url", "cs-referrer"),
        _traffic(
            "c-ip|place src_ip|place",
            "r-ip|place dst_ip|place cs-host|place",
            "c-port src_port",
            "r-port dst_port",
            **_WEB,
        ),
        *_accounts("cs-username"),
    ),
    "webserver": (
        *_addresses("c-ip", "s-ip", "cs-host"),
        *_urls("cs-uri", "cs-referer", "cs-referrer"),
        _traffic("c-ip|place", "s-ip|place", "c-port", "s-port", **_WEB),
        *_accounts("cs-username"),
    ),
    "mail": (
        *_addresses("client_ip", "original_client_ip", "src_ip", "relay"),
        *_mails("sender", "recipient", "recipients", "from", "to", "return-path"),
        _slot(
            "email-message",
            {
                "subject": "subject message-subject",
                "from_ref.value": "sender|mail from|mail",
                "to_refs[*].value": "recipient|mail recipients|mail to|mail",
            },
        ),
    ),
    "antivirus": (
        *_file("Filename", "Hashes"),
        _slot("file", {f"hashes.{name}": f"{name.replace('-', '')}|{view}" for name, view in _HASHES.items()}),
        *_accounts("User"),
    ),
    "aws": (*_addresses("sourceIPAddress"), *_accounts("userIdentity.userName", "userIdentity.arn")),
    "azure": (
        *_addresses("ipAddress", "IpAddress", "CallerIpAddress", "callerIpAddress", "properties.ipAddress"),
        *_accounts(
            "userPrincipalName",
            "UserPrincipalName",
            "InitiatedBy.user.userPrincipalName",
            folded="account_login user_id",
        ),
        *_mails("userPrincipalName", "UserPrincipalName", "InitiatedBy.user.userPrincipalName"),
    ),
    "m365": (
        *_addresses("ClientIP", "ClientIPAddress", "Client_IPAddress", "ActorIpAddress", "IPAddress", "RemoteIP"),
        *_accounts("UserId", "AccountName", folded="account_login user_id"),
        *_mails("UserId", "SenderAddress", "RecipientAddress", "P2Sender"),
        *_urls("RemoteUrl", "Url", "UrlOriginal"),
        *_file("FileName"),
        _slot("email-message", {"subject": "Subject", "from_ref.value": "SenderAddress|mail P2Sender|mail"}),
    ),
    "google_workspace": (*_addresses("ipAddress"), *_accounts("actor.email"), *_mails("actor.email")),
    "gcp": (
        *_addresses("protoPayload.requestMetadata.callerIp"),
        *_mails("protoPayload.authenticationInfo.principalEmail"),
    ),
    "okta": (*_addresses("client.ipAddress"), *_accounts("actor.alternateId"), *_mails("actor.alternateId")),
    "onelogin": (*_addresses("ipaddr"), *_accounts("user_name")),
    "duo": (*_addresses("access_device.ip", "ip"), *_accounts("username", "user.name")),
    "github": (*_addresses("actor_ip"), *_accounts("actor")),
    "bitbucket": (*_addresses("source"), *_accounts("author.name")),
    "kubernetes": (*_addresses("sourceIPs"), *_accounts("user.username")),
    "opencanary": (
        *_addresses("src_host", "dst_host"),
        _traffic("src_host|place", "dst_host|place", "src_port", "dst_port"),
    ),
}

NUMBERS: Final = frozenset({"pid", "parent_ref.pid", "src_port", "dst_port"})
TYPES: Final = frozenset(slot.type for slots in SLOTS.values() for slot in slots)
