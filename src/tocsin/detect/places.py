"""Where the events of a log source are found, outside Windows: a table from Sigma's names to kinds of events.

A kind is a table of events (`model.kind`); a gate says which events of it are meant. Log sources that stand here
are *read* where the kind's own records carry the fields that rules name, and *mapped* where a kind of a more
general sort is searched for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tocsin.detect import defender
from tocsin.detect.providers import (
    DEFENDER,
    DEFENDER_FINDINGS,
    FIREWALL_FLOW,
    RPC_FIREWALL,
    ZEEK_FLOW,
    Provider,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Events of a kind whose fields hold, each, one of some texts.

    Args:
        gate: field -> texts, lower case, `*` for any that is there; '' is a field that is absent.
        name: tells places of one log source apart in findings; '' where it has one only.
        mapped: the kind is a more general one.
        besides: a field that rules name -> fields in which its texts are looked for as well.
        provider: how the fields that rules name are called there; None where they are called so.
    """

    kind: str
    gate: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    name: str = ""
    mapped: bool = False
    besides: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    provider: Provider | None = None


def _sysmon(*event_ids: int) -> tuple[Place, ...]:
    """Sysmon for Linux, in files of its own and among the lines of other programs."""
    gate = {"EventID": tuple(map(str, event_ids))}
    return (
        Place(kind="sysmon_linux", gate=gate, name="sysmon"),
        Place(kind="linux", gate=gate, name="sysmon in syslog"),
    )


# The record of the audit system that tells the command line; the readers give it the names that Sysmon has for it.
_STARTED: Final = (
    Place(kind="auditd", gate={"type": ("execve",), "Image": ("*",)}, name="auditd"),
    Place(kind="linux", gate={"type": ("execve", "auoms_execve"), "Image": ("*",)}, name="auditd in syslog"),
)


def _defender(category: str, platform: str) -> Place:
    """Microsoft Defender's hunting tables, in which machines of all platforms are."""
    actions, _ = defender.CATEGORIES[category]
    return Place(
        kind=defender.KIND,
        gate={"ActionType": actions, "platform": (platform,)},
        name=defender.NAME,
        provider=defender.PROVIDERS[category],
    )


def _zeek(log: str) -> tuple[Place, ...]:
    return (Place(kind="zeek", gate={"_path": (log,)}),)


def _in_zeek(log: str, besides: Mapping[str, tuple[str, ...]] | None = None) -> Place:
    """A category of Sigma's, whose names the values of this log of Zeek's have besides."""
    return Place(kind="zeek", gate={"_path": (log,)}, name="zeek", mapped=True, besides=besides or {})


def _in_suricata(event_type: str, besides: Mapping[str, tuple[str, ...]] | None = None) -> Place:
    """The same for a type of Suricata's events."""
    gate = {"event_type": (event_type,)}
    return Place(kind="suricata", gate=gate, name="suricata", mapped=True, besides=besides or {})


def _program(*names: str) -> tuple[Place, ...]:
    return (Place(kind="linux", gate={"program": names}),)


def _workspace(application: str) -> tuple[Place, ...]:
    """What the Reports API gives, and the same among the audit logs of Google Cloud, to which it can be sent."""
    gate = {"gcp.audit.service_name": (f"{application}.googleapis.com",)}
    return (Place(kind="google_workspace"), Place(kind="gcp", gate=gate, name="cloud logging"))


def _application() -> tuple[Place, ...]:
    """Programs whose logs have no form of their own: keywords are looked for in any text log."""
    return (Place(kind="application", mapped=True),)


# Most rules for web servers write a path, or a path and a query, where Sigma's taxonomy has the query; some for
# proxies write a path where it has the whole URL.
_WEB: Final = Place(kind="webserver", besides={"cs-uri-query": ("cs-uri",)})
_PROXY: Final = Place(
    kind="proxy",
    besides={"c-uri": ("cs-uri-path",), "cs-uri": ("c-uri", "cs-uri-path"), "cs-uri-stem": ("cs-uri-path",)},
)
# Squid and others can write the lines of web servers: what has a whole URL was asked of a proxy.
_COMBINED: Final = Place(kind="webserver", gate={"c-uri": ("*",)}, name="combined", mapped=True, besides=_PROXY.besides)
# Sensors see the requests that reach web servers and proxies; they have one name for a client and its URL.
_HTTP: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("cs-uri", "cs-uri-query", "cs-uri-stem"), ("c-uri",)),
    "cs-user-agent": ("c-useragent",),
}
# What daemons say through syslog stands in tables of their own; rules for syslog look for words in it.
_DAEMONS: Final = (
    Place(kind="dns", gate={"message": ("*",)}, name="name server"),
    Place(kind="mail", gate={"program": ("*",)}, name="mail server"),
    Place(kind="webserver", gate={"program": ("*",)}, name="web server"),
    Place(kind="application", gate={"program": ("*",)}, name="web server's errors"),
)
_SYSLOG: Final = (Place(kind="linux", name="syslog"), *_DAEMONS)
_LINUX: Final = (
    *_SYSLOG,
    Place(kind="auditd", name="auditd"),
    Place(kind="sysmon_linux", name="sysmon"),
)
_NETFLOW: Final = (
    Place(kind="firewall", mapped=True, provider=FIREWALL_FLOW),
    Place(kind="zeek", gate={"_path": ("conn",)}, name="zeek", mapped=True, provider=ZEEK_FLOW),
)

_FORTIGATE: Final = (
    Place(kind="firewall", gate={"type": ("event",)}),
    Place(kind="firewall", gate={"deviceProduct": ("fortigate",)}, name="cef"),
)
# The logs of Zeek's own analyzers and frameworks that are there without any package.
_ZEEK: Final = (
    "analyzer capture_loss conn dce_rpc dhcp dnp3 dns dpd files ftp http intel irc kerberos known_certs known_hosts "
    "known_services ldap ldap_search modbus mysql notice ntlm ntp ocsp pe quic radius rdp rfb sip smb_cmd smb_files "
    "smb_mapping smtp snmp socks software ssh ssl syslog traceroute tunnel weird x509"
).split()

# (category, product, service), '' for a part that a rule does not name -> places
PLACES: Final[Mapping[tuple[str, str, str], tuple[Place, ...]]] = {
    # Linux and macOS
    ("", "linux", ""): _LINUX,
    ("process_creation", "linux", ""): (*_sysmon(1), *_STARTED, _defender("process_creation", "linux")),
    ("process_termination", "linux", ""): _sysmon(5),
    ("network_connection", "linux", ""): (*_sysmon(3), _defender("network_connection", "linux")),
    ("file_event", "linux", ""): (*_sysmon(11), _defender("file_event", "linux")),
    ("file_delete", "linux", ""): _sysmon(23, 26),
    ("raw_access_thread", "linux", ""): _sysmon(9),
    ("", "linux", "auditd"): (Place(kind="auditd"), Place(kind="linux", gate={"type": ("*",)}, name="syslog")),
    ("", "linux", "syslog"): _SYSLOG,
    ("", "linux", "auth"): (Place(kind="linux"),),
    ("", "linux", "sshd"): _program("sshd", "sshd-session"),
    ("", "linux", "sudo"): _program("sudo"),
    ("", "linux", "cron"): _program("cron", "crond", "crontab", "anacron"),
    ("", "linux", "clamav"): (
        *_program("clamd", "clamscan", "freshclam", "clamav"),
        Place(kind="antivirus", name="antivirus"),
    ),
    ("", "linux", "vsftpd"): (*_program("vsftpd", "ftpd"), Place(kind="application", name="file", mapped=True)),
    ("", "linux", "guacamole"): (
        *_program("guacd", "guacamole", "tomcat", "tomcat9", "catalina"),
        Place(kind="application", name="file", mapped=True),
    ),
    ("process_creation", "macos", ""): (
        Place(kind="macos", gate={"log": ("process_creation",)}, name="endpoint security"),
        _defender("process_creation", "macos"),
    ),
    ("file_event", "macos", ""): (
        Place(kind="macos", gate={"log": ("file_event",)}, name="endpoint security"),
        _defender("file_event", "macos"),
    ),
    # Web, proxies, firewalls, names
    ("webserver", "", ""): (_WEB, _in_zeek("http", _HTTP), _in_suricata("http", _HTTP)),
    ("", "", "apache"): (_WEB, Place(kind="application", name="error log", mapped=True)),
    ("", "", "nginx"): (_WEB, Place(kind="application", name="error log", mapped=True)),
    ("proxy", "", ""): (_PROXY, _COMBINED, _in_zeek("http", _HTTP), _in_suricata("http", _HTTP)),
    ("firewall", "", ""): (
        Place(kind="firewall"),
        Place(kind="linux", gate={"src_ip": ("*",)}, name="syslog"),
        Place(kind="cisco", gate={"src_ip": ("*",)}, name="router"),
        _in_zeek("conn"),
        _in_suricata("flow"),
    ),
    ("", "", "netflow"): _NETFLOW,
    ("dns", "", ""): (Place(kind="dns"), _in_zeek("dns"), _in_suricata("dns")),
    # Sigma's taxonomy has no log of mail flow: here it has the names that all readers of mail logs share.
    ("email", "", ""): (Place(kind="mail"),),
    ("", "fortigate", "event"): _FORTIGATE,
    ("", "fortios", "sslvpnd"): _FORTIGATE,
    ("appliance", "paloalto", "globalprotect"): (Place(kind="firewall", gate={"log": ("globalprotect", "system")}),),
    ("file_event", "paloalto", "globalprotect"): (Place(kind="firewall", gate={"log": ("globalprotect", "system")}),),
    ("", "cisco", "aaa"): (Place(kind="cisco"),),
    ("", "cisco", "syslog"): (Place(kind="cisco"),),
    ("", "cisco", "ldp"): (Place(kind="cisco"),),
    ("", "cisco", "bgp"): (Place(kind="cisco"),),
    ("", "huawei", "bgp"): (Place(kind="linux", mapped=True),),
    ("", "juniper", "bgp"): (Place(kind="linux", mapped=True),),
    ("", "cisco", "duo"): (Place(kind="duo"),),
    **{("", "zeek", log): _zeek(log) for log in _ZEEK},
    # Clouds
    ("", "aws", "cloudtrail"): (Place(kind="aws"),),
    ("", "aws", "guardduty"): (Place(kind="guardduty"),),
    ("", "azure", "activitylogs"): (Place(kind="azure", gate={"log": ("activitylogs",)}),),
    ("", "azure", "auditlogs"): (Place(kind="azure", gate={"log": ("auditlogs",)}),),
    ("", "azure", "signinlogs"): (Place(kind="azure", gate={"log": ("signinlogs",)}),),
    ("", "azure", "riskdetection"): (Place(kind="azure", gate={"log": ("riskdetection",)}),),
    ("", "azure", "pim"): (Place(kind="azure", gate={"log": ("pim",)}),),
    ("", "m365", "audit"): (Place(kind="m365"),),
    ("", "m365", "exchange"): (Place(kind="m365"),),
    ("", "m365", "threat_detection"): (Place(kind="m365"),),
    ("", "m365", "threat_management"): (Place(kind="m365"),),
    ("", "gcp", "gcp.audit"): (Place(kind="gcp"),),
    ("", "gcp", "google_workspace.admin"): _workspace("admin"),
    ("", "gcp", "google_workspace.login"): _workspace("login"),
    ("", "okta", "okta"): (Place(kind="okta"),),
    ("", "onelogin", "onelogin.events"): (Place(kind="onelogin"),),
    ("", "github", "audit"): (Place(kind="github"),),
    ("", "bitbucket", "audit"): (Place(kind="bitbucket"),),
    ("", "kubernetes", "audit"): (Place(kind="kubernetes"),),
    ("application", "kubernetes", "audit"): (Place(kind="kubernetes"),),
    ("application", "opencanary", ""): (Place(kind="opencanary"),),
    # Programs
    ("antivirus", "", ""): (
        Place(kind="antivirus"),
        Place(kind="firewall", gate={"Signature": ("*",)}, name="gateway"),
        Place(kind="defender", gate={"ActionType": ("antivirusdetection",)}, name="defender for endpoint"),
        Place(
            kind="windows",
            gate={"Channel": ("microsoft-windows-windows defender/operational",), "EventID": DEFENDER_FINDINGS},
            name="defender",
            provider=DEFENDER,
        ),
    ),
    ("application", "rpc_firewall", ""): (Place(kind="windows", gate={"Channel": ("rpcfw",)}, provider=RPC_FIREWALL),),
    # `dump` and `drop` are words of web servers' error logs, too
    ("database", "", ""): (Place(kind="application", gate={"log": ("text",)}, mapped=True),),
    **{
        ("application", product, ""): _application()
        for product in ("django", "jvm", "nodejs", "python", "ruby_on_rails", "spring", "sql", "velocity")
    },
    ("", "qualys", ""): _application(),
}
