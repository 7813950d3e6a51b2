"""Who logs on where, and what they change there, in; records of the security and system logs out."""

from __future__ import annotations

from typing import Final

from tocsin.rehearse.dice import digest
from tocsin.rehearse.machine import Machine, Session
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.sensors import windows
from tocsin.rehearse.world import Body, Host, Person

_PRIVILEGES: Final = (
    "SeSecurityPrivilege\n\t\t\tSeBackupPrivilege\n\t\t\tSeRestorePrivilege\n\t\t\tSeTakeOwnershipPrivilege"
    "\n\t\t\tSeDebugPrivilege\n\t\t\tSeSystemEnvironmentPrivilege\n\t\t\tSeLoadDriverPrivilege"
    "\n\t\t\tSeImpersonatePrivilege\n\t\t\tSeDelegateSessionUserImpersonatePrivilege"
)


def sid_of(body: Body, account: str) -> str:
    """Of an account of the directory, of whichever kind."""
    user = account.rpartition("\\")[2]
    if sid := body.sids.get(user):
        return sid
    if user.lower() == "administrator":
        return f"{body.sid}-500"
    return f"{body.sid}-{10_000 + int(digest('rid', user.lower())[:8], 16) % 1_000_000}"


def admin_of(person: Person) -> str:
    """The second account of somebody who administers."""
    return f"{person.account.partition(chr(92))[0]}\\adm-{person.user}"


def logon(
    scene: Scene,
    machine: Machine,
    ts_us: int,
    account: str,
    kind: int,
    *,
    source: Host | None = None,
    address: str = "",
    port: int = 0,
    elevated: bool = False,
    package: str = "Kerberos",
) -> Session:
    """Somebody logs on: 4624, and 4672 if they may do everything there.

    Args:
        kind: 2 at the desk, 3 over the network, 4 batch, 5 service, 7 unlock, 10 remote desktop, 11 cached.
        source: the machine they come from; `address` where that is none of ours.
    """
    body = scene.body(machine.host)
    session = machine.session(ts_us, account, sid_of(body, account), kind, elevated=elevated)
    came_from = source.address if source else address or ("127.0.0.1" if kind in {2, 7, 11} else "-")
    fields = {
        **_logged_on(machine, session, package, source.name if source else "-"),
        "IpAddress": came_from,
        "IpPort": str(port) if port and kind in {3, 10} else "0" if kind in {2, 4, 7, 11} else "-",
        "ImpersonationLevel": "%%1833",
        "RestrictedAdminMode": "-",
        "TargetOutboundUserName": "-",
        "TargetOutboundDomainName": "-",
        "VirtualAccount": "%%1843",
        "TargetLinkedLogonId": "0x0",
        "ElevatedToken": "%%1842" if elevated else "%%1843",
    }
    windows.write(scene, machine, ts_us, windows.SECURITY, 4624, fields)
    if elevated:
        fields = {
            "SubjectUserSid": session.sid,
            "SubjectUserName": session.user,
            "SubjectDomainName": session.domain,
            "SubjectLogonId": f"0x{session.number:x}",
            "PrivilegeList": _PRIVILEGES,
        }
        windows.write(scene, machine, ts_us + 200, windows.SECURITY, 4672, fields)
    return session


def _logged_on(machine: Machine, session: Session, package: str, station: str) -> dict[str, str]:
    """The first fields of 4624: who let whom in, how."""
    kind, ntlm = session.kind, package == "NTLM"
    local = kind in {2, 4, 5, 7, 11}
    network = kind == 3
    return {
        "SubjectUserSid": "S-1-5-18" if local else "S-1-0-0",
        "SubjectUserName": machine.host.name + "$" if local else "-",
        "SubjectDomainName": machine.netbios if local else "-",
        "SubjectLogonId": "0x3e7" if local else "0x0",
        "TargetUserSid": session.sid,
        "TargetUserName": session.user,
        "TargetDomainName": session.domain,
        "TargetLogonId": f"0x{session.number:x}",
        "LogonType": str(kind),
        "LogonProcessName": "NtLmSsp " if ntlm else "Kerberos" if network else "User32 ",
        "AuthenticationPackageName": package if network else "Negotiate",
        "WorkstationName": (station if ntlm else "-") if network else machine.host.name,
        "LogonGuid": "{00000000-0000-0000-0000-000000000000}" if ntlm else session.guid,
        "TransmittedServices": "-",
        "LmPackageName": "NTLM V2" if ntlm else "-",
        "KeyLength": "128" if ntlm else "0",
        "ProcessId": "0x0" if network else f"0x{_pid(machine, 'dcom'):x}",
        "ProcessName": "-" if network else "C:\\Windows\\System32\\svchost.exe",
    }


def _pid(machine: Machine, what: str) -> int:
    run = machine.core.get(what)
    return run.pid if run else 0


def logoff(scene: Scene, machine: Machine, ts_us: int, session: Session) -> None:
    windows.write(
        scene,
        machine,
        ts_us,
        windows.SECURITY,
        4634,
        {
            "TargetUserSid": session.sid,
            "TargetUserName": session.user,
            "TargetDomainName": session.domain,
            "TargetLogonId": f"0x{session.number:x}",
            "LogonType": str(session.kind),
        },
    )


def failed(
    scene: Scene,
    machine: Machine,
    ts_us: int,
    account: str,
    kind: int,
    *,
    source: Host | None = None,
    address: str = "",
    port: int = 0,
    unknown: bool = False,
) -> None:
    """A logon that is refused: 4625. `unknown` when there is no such account."""
    domain, _, user = account.rpartition("\\")
    windows.write(
        scene,
        machine,
        ts_us,
        windows.SECURITY,
        4625,
        {
            "SubjectUserSid": "S-1-0-0",
            "SubjectUserName": "-",
            "SubjectDomainName": "-",
            "SubjectLogonId": "0x0",
            "TargetUserSid": "S-1-0-0",
            "TargetUserName": user,
            "TargetDomainName": domain,
            "Status": "0xc000006d",
            "FailureReason": "%%2313",
            "SubStatus": "0xc0000064" if unknown else "0xc000006a",
            "LogonType": str(kind),
            "LogonProcessName": "NtLmSsp " if kind == 3 else "User32 ",
            "AuthenticationPackageName": "NTLM" if kind == 3 else "Negotiate",
            "WorkstationName": source.name if source else "-" if kind == 3 else machine.host.name,
            "TransmittedServices": "-",
            "LmPackageName": "-",
            "KeyLength": "0",
            "ProcessId": "0x0",
            "ProcessName": "-",
            "IpAddress": source.address if source else address or "127.0.0.1",
            "IpPort": str(port or 0),
        },
    )


def ticket(
    scene: Scene, body: Body, ts_us: int, account: str, source: Host, service: str = "", cipher: str = "0x12"
) -> None:
    """A Kerberos ticket from the nearest domain controller: 4768, or 4769 for a service."""
    controllers = body.with_role("dc")
    machine = scene.machine(controllers[ts_us // 1000 % len(controllers)])
    domain, _, user = account.rpartition("\\")
    shared = {
        "TicketOptions": "0x40810000" if service else "0x40810010",
        "TicketEncryptionType": cipher,
        "IpAddress": f"::ffff:{source.address}",
        "IpPort": str(49_152 + ts_us // 97 % 16_000),
    }
    if not service:
        fields = {
            "TargetUserName": user,
            "TargetDomainName": domain,
            "TargetSid": sid_of(body, account),
            "ServiceName": "krbtgt",
            "ServiceSid": f"{body.sid}-502",
            "Status": "0x0",
            "PreAuthType": "2",
            "CertIssuerName": "",
            "CertSerialNumber": "",
            "CertThumbprint": "",
            **shared,
        }
        windows.write(scene, machine, ts_us, windows.SECURITY, 4768, fields)
        return
    fields = {
        "TargetUserName": f"{user}@{body.ad.upper()}",
        "TargetDomainName": body.ad.upper(),
        "ServiceName": service,
        "ServiceSid": sid_of(body, f"{domain}\\{service}"),
        **shared,
        "Status": "0x0",
        "LogonGuid": f"{{{scene.dice.guid()}}}",
        "TransmittedServices": "-",
    }
    windows.write(scene, machine, ts_us, windows.SECURITY, 4769, fields)


def refused_ticket(scene: Scene, body: Body, ts_us: int, account: str, source: Host) -> None:
    """A wrong password, as a domain controller sees it: 4771."""
    windows.write(
        scene,
        scene.machine(body.one("dc")),
        ts_us,
        windows.SECURITY,
        4771,
        {
            "TargetUserName": account.rpartition("\\")[2],
            "TargetSid": sid_of(body, account),
            "ServiceName": f"krbtgt/{body.netbios}",
            "TicketOptions": "0x40810010",
            "Status": "0x18",
            "PreAuthType": "2",
            "IpAddress": f"::ffff:{source.address}",
            "IpPort": str(49_152 + ts_us // 89 % 16_000),
            "CertIssuerName": "",
            "CertSerialNumber": "",
            "CertThumbprint": "",
        },
    )
