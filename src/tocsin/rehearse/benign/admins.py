"""A day in, what administrators and the helpdesk do on it out: the same tools that intruders use."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final, TypeAlias

from tocsin.rehearse.acts import changes, linux, logons, mail, network, processes
from tocsin.rehearse.benign.servers import encoded
from tocsin.rehearse.benign.workday import reach
from tocsin.rehearse.dice import Dice, Weighted
from tocsin.rehearse.machine import SYSTEM32, Machine, Running, Session
from tocsin.rehearse.rhythm import OFFICE, midnight_us, moment_us
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.sensors import windows
from tocsin.rehearse.world import Body, Host, Person

_SHELL: Final = SYSTEM32 + "WindowsPowerShell\\v1.0\\powershell.exe"
_SCRIPTS: Final = (
    "Get-ADUser -Filter * -Properties LastLogonDate | Where-Object { $_.LastLogonDate -lt (Get-Date).AddDays(-90) }",
    "Get-Mailbox -ResultSize Unlimited | Get-MailboxStatistics | Sort-Object TotalItemSize -Descending",
    "Invoke-Command -ComputerName (Get-Content C:\\Admin\\servers.txt) -ScriptBlock { Get-HotFix }",
    "(New-Object Net.WebClient).DownloadFile('https://packages.fieldwatch.example/a.msi', 'C:\\Admin\\agent.msi')",
    "Get-WinEvent -LogName Security -MaxEvents 500 | Where-Object Id -eq 4740",
    "Get-Process w3wp | Select-Object Id,StartTime,WorkingSet64",
    "Test-NetConnection -ComputerName {fs} -Port 445",
    "[Convert]::FromBase64String((gc C:\\Admin\\license.b64)) | Set-Content C:\\Admin\\license.bin -Encoding Byte",
    "Get-ADGroupMember 'Domain Admins' | Select-Object SamAccountName",
    "Compress-Archive -Path D:\\Logs\\*.log -DestinationPath D:\\Archive\\logs-{n}.zip",
)
# What administrators type on a server, roughly as often as they do.
_TYPED: Final = Weighted(
    [
        (("ipconfig.exe", "ipconfig /all"), 8.0),
        (("whoami.exe", "whoami /groups"), 4.0),
        (("net.exe", 'net group "Domain Admins" /domain'), 2.0),
        (("net.exe", "net user {user} /domain"), 6.0),
        (("net.exe", "net view \\\\{fs}"), 2.0),
        (("nltest.exe", "nltest /dclist:{ad}"), 2.0),
        (("nslookup.exe", "nslookup {fs}.{ad}"), 5.0),
        (("systeminfo.exe", "systeminfo"), 2.5),
        (("tasklist.exe", "tasklist /svc"), 4.0),
        (("schtasks.exe", "schtasks /query /fo LIST /v"), 2.0),
        (("reg.exe", "reg query HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall /s"), 1.5),
        (("certutil.exe", "certutil -verify -urlfetch C:\\Admin\\ca-{n}.cer"), 1.5),
        (("robocopy.exe", "robocopy D:\\Shares\\IT \\\\{fs}\\IT /MIR /R:1"), 2.0),
        (("netsh.exe", "netsh advfirewall show currentprofile"), 1.0),
        (("wmic.exe", "wmic /node:{fs} os get lastbootuptime"), 1.0),
        (("wevtutil.exe", "wevtutil epl System C:\\Admin\\system-{n}.evtx"), 1.0),
        (("dsquery.exe", "dsquery user -inactive 8 -limit 0"), 0.8),
    ]
)

_Chore: TypeAlias = Callable[[Scene, Body, Person, Machine, int], None]


def day(scene: Scene, body: Body, today: date, pace: float) -> None:
    calendar, number = scene.world.calendar, today.toordinal()
    for person in body.staff("admin", "helpdesk"):
        if not calendar.works(today):
            continue
        dice = Dice(scene.world.seed, "chores", person.id, number)
        with scene.marked(None, dice):
            machine = scene.station(person)
            if machine.desk is None or machine.desk.since_us < midnight_us(today):
                continue
            chores = _ADMIN if person.role == "admin" else _HELP
            for _ in range(dice.count(max(0.5, 3.2 * min(pace, 1.6)))):
                at = max(OFFICE.draw(dice, midnight_us(today)), machine.desk.since_us + 300_000_000)
                if at < moment_us(today, 18):
                    chores.draw(dice)(scene, body, person, machine, at)


def remote(
    scene: Scene,
    body: Body,
    account: str,
    source: Host,
    machine: Machine,
    ts_us: int,
    lasts_s: float,
    run: Running | None,
) -> tuple[Session, Running]:
    """Somebody works on another machine by remote desktop; returns their session and shell there."""
    logons.ticket(scene, body, ts_us - 30_000, account, source, "TERMSRV/" + machine.host.name)
    link = network.connect(
        scene,
        ts_us,
        source,
        machine.host,
        3389,
        sent=int(90_000 + lasts_s * 700),
        received=int(400_000 + lasts_s * 9_000),
        lasts_s=lasts_s,
        service="ssl,rdp",
        run=run,
        name=machine.host.fqdn,
    )
    session = logons.logon(
        scene, machine, ts_us + 1_500_000, account, 10, source=source, port=link.sport, elevated=True
    )
    shell = processes.start(
        scene,
        machine,
        ts_us + 3_000_000,
        "C:\\Windows\\explorer.exe",
        "C:\\Windows\\Explorer.EXE",
        machine.core["winlogon"],
        session,
        integrity="High",
    )
    return session, shell


def left(scene: Scene, machine: Machine, session: Session, shell: Running, ts_us: int) -> None:
    processes.end(scene, shell, ts_us)
    logons.logoff(scene, machine, ts_us + 500_000, session)


def _servers(body: Body, kind: str = "windows") -> list[Host]:
    return [host for host in body.with_role("server") if host.kind == kind and "jump" not in host.roles]


def _shell(machine: Machine) -> Running:
    assert machine.shell is not None
    return machine.shell


def _words(scene: Scene, body: Body, text: str) -> str:
    dice = scene.dice
    return (
        text.replace("{fs}", body.one("file").name)
        .replace("{ad}", body.ad)
        .replace("{n}", str(dice.below(400)))
        .replace("{user}", dice.one(body.people).user)
    )


def _desktop(scene: Scene, body: Body, person: Person, machine: Machine, ts_us: int) -> None:
    """Remote desktop to a server, and some typing there."""
    dice = scene.dice
    server = scene.machine(dice.one(_servers(body)))
    lasts = 120 + dice.wait(1500)
    client = processes.start(
        scene, machine, ts_us - 3_000_000, SYSTEM32 + "mstsc.exe", f'"mstsc.exe" /v:{server.host.name}', _shell(machine)
    )
    account = logons.admin_of(person)
    session, shell = remote(scene, body, account, machine.host, server, ts_us, lasts, client)
    prompt = processes.start(
        scene, server, ts_us + 20_000_000, SYSTEM32 + "cmd.exe", '"C:\\Windows\\system32\\cmd.exe" ', shell
    )
    for number in range(1 + dice.below(4)):
        name, line = _TYPED.draw(dice)
        at = ts_us + 40_000_000 + number * int(lasts * 1.5e5)
        processes.once(scene, server, at, SYSTEM32 + name, _words(scene, body, line), prompt, lasts_s=dice.wait(2))
    end = ts_us + int(lasts * 1e6) + 60_000_000
    processes.end(scene, prompt, end - 4_000_000)
    left(scene, server, session, shell, end)
    processes.end(scene, client, end + 1_000_000)


def _script(scene: Scene, body: Body, person: Person, machine: Machine, ts_us: int) -> None:
    """A script on the own machine, sometimes as Base64."""
    dice = scene.dice
    text = _words(scene, body, dice.one(_SCRIPTS))
    session = machine.session(
        ts_us, logons.admin_of(person), logons.sid_of(body, logons.admin_of(person)), 2, elevated=True
    )
    line = f"powershell.exe -NoProfile -File C:\\Admin\\scripts\\task-{dice.below(40)}.ps1"
    if dice.chance(0.3):
        line = f"powershell.exe -NoP -W Hidden -enc {encoded(text)}"
    run = processes.once(
        scene,
        machine,
        ts_us,
        _SHELL,
        line,
        _shell(machine),
        session,
        lasts_s=20 + dice.wait(60),
        integrity="High",
        folder="C:\\Admin\\",
    )
    processes.script(scene, run, ts_us + 900_000, text, "" if "-enc" in line else line.rpartition(" ")[2])
    if "DownloadFile" in text:
        processes.writes(scene, run, ts_us + 4_000_000, "C:\\Admin\\agent.msi")


def psexec(
    scene: Scene,
    body: Body,
    account: str,
    source: Machine,
    parent: Running,
    server: Machine,
    ts_us: int,
    line: str,
    *,
    tool: str = "C:\\Admin\\Tools\\PsExec.exe",
    name: str = "PSEXESVC",
) -> Running:
    """A command is run on another machine by a service made for it; returns the service's process."""
    client = processes.start(
        scene,
        source,
        ts_us,
        tool,
        f"{tool.rpartition(chr(92))[2]} \\\\{server.host.name} -s {line}",
        parent,
        integrity="High",
        copy_of="psexec.exe",
    )
    session = reach(
        scene,
        body,
        account,
        source.host,
        server,
        ts_us + 400_000,
        [("ADMIN$", f"{name}.exe"), ("IPC$", "svcctl")],
        sent=380_000,
        lasts_s=9.0,
        elevated=True,
    )
    owner = server.core["services"]
    processes.writes(scene, server.core["netsvcs"], ts_us + 700_000, f"C:\\Windows\\{name}.exe")
    changes.service(scene, server, ts_us + 1_100_000, session, name, f"%SystemRoot%\\{name}.exe")
    run = processes.start(
        scene,
        server,
        ts_us + 1_400_000,
        f"C:\\Windows\\{name}.exe",
        f"C:\\Windows\\{name}.exe",
        owner,
        copy_of="psexesvc.exe",
    )
    processes.pipe(scene, run, ts_us + 1_600_000, f"\\{name}-{source.host.name}-{client.pid}-stdin")
    image = SYSTEM32 + line.partition(" ")[0]
    processes.once(scene, server, ts_us + 2_000_000, image, line, run, lasts_s=3.0)
    processes.end(scene, run, ts_us + 8_000_000)
    processes.end(scene, client, ts_us + 8_500_000)
    return run


def _psexec(scene: Scene, body: Body, person: Person, machine: Machine, ts_us: int) -> None:
    server = scene.machine(scene.dice.one(_servers(body)))
    line = scene.dice.one(
        ("ipconfig.exe /flushdns", "cmd.exe /c sc query", "gpupdate.exe /force", "cmd.exe /c dir C:\\Temp")
    )
    psexec(scene, body, logons.admin_of(person), machine, _shell(machine), server, ts_us, line)


def _accounts(scene: Scene, body: Body, person: Person, machine: Machine, ts_us: int) -> None:
    """Passwords are reset, people are put into groups, new ones get accounts."""
    dice = scene.dice
    controller = scene.machine(body.one("dc"))
    account = logons.admin_of(person)
    session = reach(scene, body, account, machine.host, controller, ts_us, [("SYSVOL", "")], elevated=True)
    target = dice.one(body.people)
    subject = changes.subject(session)
    chance = dice.random()
    if chance < 0.75:
        fields = {"TargetUserName": target.user, "TargetDomainName": body.netbios, "TargetSid": target.sid, **subject}
        windows.write(scene, controller, ts_us + 900_000, windows.SECURITY, 4724, fields)
    elif chance < 0.93:
        group = dice.one(("GG-Printers-L4", "GG-Committee-Papers", "GG-VPN", "GG-Library"))
        fields = {
            "MemberName": f"CN={target.name},OU=People,DC={',DC='.join(body.ad.split('.'))}",
            "MemberSid": target.sid,
            "TargetUserName": group,
            "TargetDomainName": body.netbios,
            "TargetSid": f"{body.sid}-{2100 + len(group)}",
            **subject,
            "PrivilegeList": "-",
        }
        windows.write(scene, controller, ts_us + 900_000, windows.SECURITY, 4728, fields)
    else:
        name = f"temp{dice.below(900)}"
        fields = {
            "TargetUserName": name,
            "TargetDomainName": body.netbios,
            "TargetSid": f"{body.sid}-{5000 + dice.below(900)}",
            **subject,
            "PrivilegeList": "-",
            "SamAccountName": name,
            "DisplayName": f"Visitor {dice.below(90)}",
            "UserPrincipalName": f"{name}@{body.mail}",
        }
        windows.write(scene, controller, ts_us + 900_000, windows.SECURITY, 4720, fields)


def _task(scene: Scene, body: Body, person: Person, machine: Machine, ts_us: int) -> None:
    """A task is put on a server's schedule."""
    dice = scene.dice
    server = scene.machine(dice.one(_servers(body)))
    session = reach(
        scene, body, logons.admin_of(person), machine.host, server, ts_us, [("IPC$", "atsvc")], elevated=True
    )
    name = f"\\Admin\\cleanup-{dice.below(60)}"
    changes.task(
        scene, server, ts_us + 500_000, session, name, "powershell.exe", "-NoProfile -File D:\\Jobs\\cleanup.ps1"
    )


def _archive(scene: Scene, body: Body, person: Person, machine: Machine, ts_us: int) -> None:
    """Logs are packed and taken along to the vendor's support."""
    dice = scene.dice
    tool = "C:\\Program Files\\7-Zip\\7z.exe"
    name = f"C:\\Admin\\case-{dice.below(90_000)}.7z"
    line = f'"{tool}" a -t7z -pSupport{dice.below(99)} {name} C:\\Admin\\logs\\*'
    run = processes.once(scene, machine, ts_us, tool, line, _shell(machine), lasts_s=8, folder="C:\\Admin\\")
    processes.writes(scene, run, ts_us + 300_000, name)
    helpdesk = mail.message(scene, person.mailbox, "support@fieldwatch.example", "Logs of our case", 210_000)
    mail.leaves(scene, body, ts_us + 240_000_000, helpdesk, mail.server_of("fieldwatch.example"))


def _ssh(scene: Scene, body: Body, person: Person, machine: Machine, ts_us: int) -> None:
    """A Linux machine is looked after."""
    dice = scene.dice
    server = scene.machine(dice.one(_servers(body, "linux")))
    client = processes.once(
        scene,
        machine,
        ts_us - 900_000,
        SYSTEM32 + "OpenSSH\\ssh.exe",
        f"ssh.exe {person.user}@{server.host.fqdn}",
        _shell(machine),
        lasts_s=600,
    )
    session = linux.ssh(scene, server, ts_us, person.user, machine.host, lasts_s=598)
    shell = linux.shell(server, session)
    lines = ("/usr/bin/journalctl -u nginx -n 50", "/usr/bin/apt-get -y upgrade", "/usr/bin/systemctl restart rsyslog")
    more = (
        "/usr/bin/less /var/log/syslog",
        "/usr/bin/cat /etc/passwd",
        "/usr/sbin/ufw status",
        "/usr/bin/vi /etc/hosts",
    )
    for number in range(1 + dice.below(4)):
        linux.sudo(scene, server, ts_us + 20_000_000 + number * 90_000_000, shell, dice.one((*lines, *more)))
    assert client.pid


def _assist(scene: Scene, body: Body, person: Person, machine: Machine, ts_us: int) -> None:
    """The helpdesk comes to somebody's machine."""
    dice = scene.dice
    other = scene.station(dice.one(body.people))
    if other is machine:
        return
    lasts = 200 + dice.wait(500)
    account = logons.admin_of(person)
    session, shell = remote(scene, body, account, machine.host, other, ts_us, lasts, None)
    name, line = _TYPED.draw(dice)
    prompt = processes.start(scene, other, ts_us + 20_000_000, SYSTEM32 + "cmd.exe", '"cmd.exe" ', shell)
    processes.once(scene, other, ts_us + 40_000_000, SYSTEM32 + name, _words(scene, body, line), prompt)
    end = ts_us + int(lasts * 1e6)
    processes.end(scene, prompt, end - 1_000_000)
    left(scene, other, session, shell, end)


_ADMIN: Final[Weighted[_Chore]] = Weighted(
    [
        *((_desktop, 30.0), (_script, 30.0), (_psexec, 6.0), (_accounts, 14.0)),
        *((_task, 3.0), (_archive, 3.0), (_ssh, 14.0)),
    ]
)
_HELP: Final[Weighted[_Chore]] = Weighted([(_assist, 40.0), (_accounts, 45.0), (_script, 10.0), (_archive, 2.0)])
