"""What programs do on a Windows machine in, records of Sysmon and of the security log out."""

from __future__ import annotations

from typing import Final

from tocsin.rehearse.machine import Machine, Running, Session
from tocsin.rehearse.programs import hashes, made
from tocsin.rehearse.rhythm import clock
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.sensors import windows

_LEVELS: Final = {"Low": "S-1-16-4096", "Medium": "S-1-16-8192", "High": "S-1-16-12288", "System": "S-1-16-16384"}
_ELEVATION: Final = {"Low": "%%1938", "Medium": "%%1938", "High": "%%1937", "System": "%%1936"}


def _time(machine: Machine, ts_us: int) -> str:
    return clock(machine.clock(ts_us), sep=" ")


def start(
    scene: Scene,
    machine: Machine,
    ts_us: int,
    image: str,
    line: str,
    parent: Running,
    session: Session | None = None,
    *,
    integrity: str = "",
    folder: str = "C:\\Windows\\system32\\",
    copy_of: str = "",
) -> Running:
    """A program is started: Sysmon 1, and on servers 4688.

    Args:
        copy_of: the usual name of a program that was renamed.
    """
    session = session or parent.session
    run = Running(
        machine=machine,
        image=image,
        line=line,
        pid=machine.pid(),
        guid=machine.guid(ts_us),
        session=session,
        parent=parent,
        since_us=ts_us,
        integrity=integrity or parent.integrity,
    )
    windows.write(scene, machine, ts_us + 1500, windows.SYSMON, 1, _created(run, parent, folder, copy_of))
    if "server" in machine.host.roles:
        _start_audited(scene, machine, ts_us, run, parent)
    return run


def _created(run: Running, parent: Running, folder: str, copy_of: str) -> dict[str, str]:
    description, product, company, original, version = made(run.image, copy_of)
    session = run.session
    return {
        "RuleName": "-",
        "UtcTime": _time(run.machine, run.since_us),
        "ProcessGuid": run.guid,
        "ProcessId": str(run.pid),
        "Image": run.image,
        "FileVersion": version,
        "Description": description,
        "Product": product,
        "Company": company,
        "OriginalFileName": original,
        "CommandLine": run.line,
        "CurrentDirectory": folder,
        "User": session.account,
        "LogonGuid": session.guid,
        "LogonId": f"0x{session.number:x}",
        "TerminalSessionId": str(session.terminal),
        "IntegrityLevel": run.integrity,
        "Hashes": hashes(run.image, copy_of),
        "ParentProcessGuid": parent.guid,
        "ParentProcessId": str(parent.pid),
        "ParentImage": parent.image,
        "ParentCommandLine": parent.line,
        "ParentUser": parent.session.account,
    }


def _start_audited(scene: Scene, machine: Machine, ts_us: int, run: Running, parent: Running) -> None:
    # Whoever starts it stands in the record: the machine's account for what the system does itself.
    subject = parent.session
    own = subject.sid == "S-1-5-18"
    other = run.session.number != subject.number and run.session.sid != "S-1-5-18"
    windows.write(
        scene,
        machine,
        ts_us + 1200,
        windows.SECURITY,
        4688,
        {
            "SubjectUserSid": subject.sid,
            "SubjectUserName": machine.host.name + "$" if own else subject.user,
            "SubjectDomainName": machine.netbios if own else subject.domain,
            "SubjectLogonId": f"0x{subject.number:x}",
            "NewProcessId": f"0x{run.pid:x}",
            "NewProcessName": run.image,
            "TokenElevationType": _ELEVATION[run.integrity],
            "ProcessId": f"0x{parent.pid:x}",
            "CommandLine": run.line,
            "TargetUserSid": run.session.sid if other else "S-1-0-0",
            "TargetUserName": run.session.user if other else "-",
            "TargetDomainName": run.session.domain if other else "-",
            "TargetLogonId": f"0x{run.session.number:x}" if other else "0x0",
            "ParentProcessName": parent.image,
            "MandatoryLabel": _LEVELS[run.integrity],
        },
    )


def end(scene: Scene, run: Running, ts_us: int) -> None:
    """A program ends: Sysmon 5."""
    run.until_us = ts_us
    windows.write(
        scene,
        run.machine,
        ts_us + 1500,
        windows.SYSMON,
        5,
        {
            "RuleName": "-",
            "UtcTime": _time(run.machine, ts_us),
            "ProcessGuid": run.guid,
            "ProcessId": str(run.pid),
            "Image": run.image,
            "User": run.session.account,
        },
    )


def once(
    scene: Scene,
    machine: Machine,
    ts_us: int,
    image: str,
    line: str,
    parent: Running,
    session: Session | None = None,
    *,
    lasts_s: float = 0.4,
    integrity: str = "",
    folder: str = "C:\\Windows\\system32\\",
    copy_of: str = "",
) -> Running:
    """A program is started and ends by itself."""
    run = start(
        scene, machine, ts_us, image, line, parent, session, integrity=integrity, folder=folder, copy_of=copy_of
    )
    if image.lower().endswith("\\net.exe"):
        # net.exe leaves most of what it is asked to another program.
        once(scene, machine, ts_us + 20_000, image[:-4] + "1.exe", f"{image[:-4]}1{_rest(line)}", run, lasts_s=0.1)
    until = ts_us + int(max(lasts_s, 0.2) * 1e6)
    if image.lower().endswith("\\cmd.exe") and "server" in machine.host.roles:
        # A shell without a window of its own brings the host of its console.
        console = "\\??\\C:\\Windows\\system32\\conhost.exe 0xffffffff -ForceV1"
        host = start(scene, machine, ts_us + 9_000, "C:\\Windows\\System32\\conhost.exe", console, run)
        end(scene, host, until)
    end(scene, run, until)
    return run


def _rest(line: str) -> str:
    _, blank, rest = line.partition(" ")
    return blank + rest


def writes(scene: Scene, run: Running, ts_us: int, path: str) -> None:
    """A program creates a file: Sysmon 11."""
    windows.write(
        scene,
        run.machine,
        ts_us + 1500,
        windows.SYSMON,
        11,
        {
            "RuleName": "-",
            "UtcTime": _time(run.machine, ts_us),
            "ProcessGuid": run.guid,
            "ProcessId": str(run.pid),
            "Image": run.image,
            "TargetFilename": path,
            "CreationUtcTime": _time(run.machine, ts_us),
            "User": run.session.account,
        },
    )


def deletes(scene: Scene, run: Running, ts_us: int, path: str) -> None:
    """A program deletes a file that Sysmon keeps a copy of: Sysmon 23."""
    windows.write(
        scene,
        run.machine,
        ts_us + 1500,
        windows.SYSMON,
        23,
        {
            "RuleName": "-",
            "UtcTime": _time(run.machine, ts_us),
            "ProcessGuid": run.guid,
            "ProcessId": str(run.pid),
            "User": run.session.account,
            "Image": run.image,
            "TargetFilename": path,
            "Hashes": hashes(path),
            "IsExecutable": "true" if path.lower().endswith((".exe", ".dll")) else "false",
            "Archived": "true",
        },
    )


def sets(scene: Scene, run: Running, ts_us: int, value: str, details: str) -> None:
    """A program sets a registry value: Sysmon 13."""
    windows.write(
        scene,
        run.machine,
        ts_us + 1500,
        windows.SYSMON,
        13,
        {
            "RuleName": "-",
            "EventType": "SetValue",
            "UtcTime": _time(run.machine, ts_us),
            "ProcessGuid": run.guid,
            "ProcessId": str(run.pid),
            "Image": run.image,
            "TargetObject": value,
            "Details": details,
            "User": run.session.account,
        },
    )


def opens(scene: Scene, run: Running, other: Running, ts_us: int, access: str, trace: str) -> None:
    """A program opens another one's memory: Sysmon 10."""
    windows.write(
        scene,
        run.machine,
        ts_us + 1500,
        windows.SYSMON,
        10,
        {
            "RuleName": "-",
            "UtcTime": _time(run.machine, ts_us),
            "SourceProcessGUID": run.guid,
            "SourceProcessId": str(run.pid),
            "SourceThreadId": str(run.pid + 12),
            "SourceImage": run.image,
            "TargetProcessGUID": other.guid,
            "TargetProcessId": str(other.pid),
            "TargetImage": other.image,
            "GrantedAccess": access,
            "CallTrace": trace,
            "SourceUser": run.session.account,
            "TargetUser": other.session.account,
        },
    )


def pipe(scene: Scene, run: Running, ts_us: int, name: str, *, connects: bool = False) -> None:
    """A program makes a named pipe, or connects to one: Sysmon 17 and 18."""
    windows.write(
        scene,
        run.machine,
        ts_us + 1500,
        windows.SYSMON,
        18 if connects else 17,
        {
            "RuleName": "-",
            "EventType": "ConnectPipe" if connects else "CreatePipe",
            "UtcTime": _time(run.machine, ts_us),
            "ProcessGuid": run.guid,
            "ProcessId": str(run.pid),
            "PipeName": name,
            "Image": run.image,
            "User": run.session.account,
        },
    )


def script(scene: Scene, run: Running, ts_us: int, text: str, path: str = "") -> None:
    """PowerShell runs a block of script that it writes down: 4104."""
    windows.write(
        scene,
        run.machine,
        ts_us + 40_000,
        windows.POWERSHELL,
        4104,
        {
            "MessageNumber": "1",
            "MessageTotal": "1",
            "ScriptBlockText": text,
            "ScriptBlockId": scene.dice.guid(),
            "Path": path,
        },
        user=(run.session.user, run.session.sid),
    )
