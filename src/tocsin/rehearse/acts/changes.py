"""What somebody who is logged on changes or reaches for, in; records of the security, system and Defender logs out."""

from __future__ import annotations

from tocsin.rehearse.machine import Machine, Session
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.sensors import windows
from tocsin.rehearse.world import Host


def subject(session: Session) -> dict[str, str]:
    return {
        "SubjectUserSid": session.sid,
        "SubjectUserName": session.user,
        "SubjectDomainName": session.domain,
        "SubjectLogonId": f"0x{session.number:x}",
    }


def share(
    scene: Scene, machine: Machine, ts_us: int, session: Session, source: Host, name: str, path: str, *, port: int = 0
) -> None:
    """Somebody reaches for a file over the network: 5145."""
    local = {
        "ADMIN$": "\\??\\C:\\Windows",
        "C$": "\\??\\C:\\",
        "IPC$": "",
        "SYSVOL": "\\??\\C:\\Windows\\SYSVOL\\sysvol",
    }
    windows.write(
        scene,
        machine,
        ts_us,
        windows.SECURITY,
        5145,
        {
            **subject(session),
            "ObjectType": "File",
            "IpAddress": source.address,
            "IpPort": str(port or 49_152 + ts_us // 83 % 16_000),
            "ShareName": f"\\\\*\\{name}",
            "ShareLocalPath": local.get(name, f"\\??\\D:\\Shares\\{name}"),
            "RelativeTargetName": path,
            "AccessMask": "0x12019f" if name.endswith("$") else "0x120089",
            "AccessList": "%%1538\n\t\t\t\t%%1541\n\t\t\t\t%%4416\n\t\t\t\t",
            "AccessReason": "-",
        },
    )


def service(
    scene: Scene, machine: Machine, ts_us: int, session: Session, name: str, path: str, *, automatic: bool = False
) -> None:
    """A service is installed: 7045, and 4697."""
    windows.write(
        scene,
        machine,
        ts_us + 300,
        windows.SYSTEM,
        7045,
        {
            "ServiceName": name,
            "ImagePath": path,
            "ServiceType": "user mode service",
            "StartType": "auto start" if automatic else "demand start",
            "AccountName": "LocalSystem",
        },
        user=(session.user, session.sid),
    )
    windows.write(
        scene,
        machine,
        ts_us,
        windows.SECURITY,
        4697,
        {
            **subject(session),
            "ServiceName": name,
            "ServiceFileName": path,
            "ServiceType": "0x10",
            "ServiceStartType": "2" if automatic else "3",
            "ServiceAccount": "LocalSystem",
        },
    )


def changed(scene: Scene, machine: Machine, ts_us: int, name: str, state: str) -> None:
    """A service starts or stops: 7036."""
    windows.write(scene, machine, ts_us, windows.SYSTEM, 7036, {"param1": name, "param2": state})


def task(scene: Scene, machine: Machine, ts_us: int, session: Session, name: str, command: str, words: str) -> None:
    """A task is put on the schedule: 4698."""
    content = (
        '<?xml version="1.0" encoding="UTF-16"?>\n<Task version="1.2" '
        'xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">\n  <RegistrationInfo>\n'
        f'    <URI>{name}</URI>\n  </RegistrationInfo>\n  <Actions Context="Author">\n    <Exec>\n'
        f"      <Command>{command}</Command>\n      <Arguments>{words}</Arguments>\n    </Exec>\n  </Actions>\n</Task>"
    )
    fields = {**subject(session), "TaskName": name, "TaskContent": content}
    windows.write(scene, machine, ts_us, windows.SECURITY, 4698, fields)


def cleared(scene: Scene, machine: Machine, ts_us: int, session: Session) -> None:
    """Somebody clears the security log: 1102."""
    fields = {**subject(session), "ClientProcessId": "0", "ClientProcessStartKey": "0"}
    windows.write(
        scene,
        machine,
        ts_us,
        windows.SECURITY,
        1102,
        fields,
        provider="Microsoft-Windows-Eventlog",
        user_data=True,
    )


def replicated(scene: Scene, machine: Machine, ts_us: int, session: Session) -> None:
    """Somebody asks a domain controller for its directory as another one would: 4662 with the two rights for it."""
    for right in ("{1131f6aa-9c07-11d1-f79f-00c04fc2dcd2}", "{1131f6ad-9c07-11d1-f79f-00c04fc2dcd2}"):
        of = ("{19195a5b-6da0-11d0-afd3-00c04fd930c9}", "{7f8ee0a3-2d5c-4c0e-9be4-21ac1e3c44d1}")
        _directory(scene, machine, ts_us, session, of, "%%7688", "0x100", right)


def reads_key(scene: Scene, machine: Machine, ts_us: int, session: Session) -> None:
    """Somebody reads what a federation server keeps its key under: 4662, a contact's picture (thumbnailPhoto)."""
    of = ("{5cb41ed0-0e4c-11d0-a286-00aa003049e2}", "{0b2a6c1f-5f0e-4a8e-8c47-6d1c90f2ab35}")
    _directory(scene, machine, ts_us, session, of, "%%7684", "0x10", "{8d3bca50-1d7e-11d0-a081-00aa006c33ed}")


def _directory(
    scene: Scene,
    machine: Machine,
    ts_us: int,
    session: Session,
    of: tuple[str, str],
    access: str,
    mask: str,
    what: str,
) -> None:
    """An operation on an object of the directory: 4662. `of` is its class and itself."""
    windows.write(
        scene,
        machine,
        ts_us,
        windows.SECURITY,
        4662,
        {
            **subject(session),
            "ObjectServer": "DS",
            "ObjectType": f"%{of[0]}",
            "ObjectName": f"%{of[1]}",
            "OperationType": "Object Access",
            "HandleId": "0x0",
            "AccessList": f"{access}\n\t\t\t\t",
            "AccessMask": mask,
            "Properties": f"{access}\n\t\t{what}\n\t{of[0]}\n",
            "AdditionalInfo": "-",
            "AdditionalInfo2": "",
        },
    )


def found(scene: Scene, machine: Machine, ts_us: int, threat: str, path: str, user: str) -> None:
    """Defender finds something and removes it: 1116 and 1117."""
    fields = {
        "Product Name": "Microsoft Defender Antivirus",
        "Product Version": "4.18.25080.5",
        "Detection ID": f"{{{scene.dice.guid().upper()}}}",
        "Threat ID": str(2_147_000_000 + sum(threat.encode())),
        "Threat Name": threat,
        "Severity Name": "Severe",
        "Category Name": "Backdoor" if threat.startswith("Backdoor") else "Trojan",
        "Detection User": user,
        "Process Name": "Unknown",
        "Path": f"file:_{path}",
        "Origin Name": "Local machine",
        "Type Name": "Concrete",
    }
    windows.write(scene, machine, ts_us, windows.DEFENDER, 1116, fields)
    windows.write(
        scene,
        machine,
        ts_us + 1_900_000,
        windows.DEFENDER,
        1117,
        {**fields, "Action Name": "Quarantine", "Error Description": "The operation completed successfully. "},
    )
