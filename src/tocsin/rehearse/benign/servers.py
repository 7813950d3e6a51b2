"""A day in, what machines do on it by themselves out: services, agents, backups, patches, restarts."""

from __future__ import annotations

import base64
from datetime import date
from typing import Final

from tocsin.rehearse import words
from tocsin.rehearse.acts import changes, linux, logons, network, processes
from tocsin.rehearse.benign.workday import reach
from tocsin.rehearse.dice import Dice, Weighted, digest, zipf
from tocsin.rehearse.machine import AGENT, SYSTEM32, Machine, boot, system
from tocsin.rehearse.rhythm import EVEN, HOUR_US, OFFICE, midnight_us, moment_us
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.sensors import windows
from tocsin.rehearse.world import Body, Host

_SHELL: Final = SYSTEM32 + "WindowsPowerShell\\v1.0\\powershell.exe"
_PAGES: Final = "C:\\Windows\\Microsoft.NET\\Framework64\\v4.0.30319\\Temporary ASP.NET Files"
_INVENTORY: Final = "Get-CimInstance Win32_QuickFixEngineering | Select HotFixID,InstalledOn | ConvertTo-Json -Compress"

# What services of Windows and of the house start, commonest first: image, command line, whose child.
_TASKS: Final = Weighted(
    zipf(
        (
            (SYSTEM32 + "taskhostw.exe", "taskhostw.exe", "netsvcs"),
            (SYSTEM32 + "sppsvc.exe", "C:\\Windows\\system32\\sppsvc.exe", "services"),
            (SYSTEM32 + "wbem\\WmiPrvSE.exe", "C:\\Windows\\system32\\wbem\\wmiprvse.exe -secured -Embedding", "dcom"),
            (AGENT, f'"{AGENT}" --collect --profile default', "services"),
            (SYSTEM32 + "svchost.exe", "C:\\Windows\\system32\\svchost.exe -k netsvcs -p -s BITS", "services"),
            (
                "C:\\Program Files\\Windows Defender\\MpCmdRun.exe",
                '"MpCmdRun.exe" SignatureUpdate -ScheduleJob',
                "netsvcs",
            ),
            (
                SYSTEM32 + "cmd.exe",
                'C:\\Windows\\system32\\cmd.exe /c "C:\\ProgramData\\Fieldwatch\\checks\\disk.cmd"',
                "netsvcs",
            ),
            (SYSTEM32 + "usoclient.exe", "C:\\Windows\\system32\\usoclient.exe StartScan", "netsvcs"),
            (SYSTEM32 + "sc.exe", "sc.exe query W32Time", "netsvcs"),
            (SYSTEM32 + "rundll32.exe", "rundll32.exe C:\\Windows\\system32\\PcaSvc.dll,PcaPatchSdbTask", "netsvcs"),
            (SYSTEM32 + "certutil.exe", "certutil.exe -pulse", "netsvcs"),
            (SYSTEM32 + "ipconfig.exe", "ipconfig /registerdns", "netsvcs"),
            (SYSTEM32 + "net.exe", "net use \\\\{fs}\\deploy$", "netsvcs"),
            (SYSTEM32 + "schtasks.exe", "schtasks.exe /run /tn \\Fieldwatch\\inventory", "netsvcs"),
            (SYSTEM32 + "wevtutil.exe", "wevtutil.exe qe Application /c:20 /rd:true /f:text", "netsvcs"),
            (SYSTEM32 + "msiexec.exe", "C:\\Windows\\system32\\msiexec.exe /V", "services"),
        ),
        1.05,
    )
)
_STATES: Final = (
    "Windows Update",
    "Background Intelligent Transfer Service",
    "Windows Modules Installer",
    "WMI Performance Adapter",
)


def encoded(text: str) -> str:
    """A command as PowerShell takes it in Base64."""
    return base64.b64encode(text.encode("utf-16-le")).decode()


def day(scene: Scene, body: Body, today: date, pace: float) -> None:
    for host in body.hosts:
        dice = Dice(scene.world.seed, "machine", host.fqdn, today.toordinal())
        with scene.marked(None, dice):
            if host.kind == "windows":
                _windows(scene, body, host, today, pace)
            elif host.kind == "linux":
                _linux(scene, host, today, pace)
    with scene.marked(None, Dice(scene.world.seed, "nightly", body.key, today.toordinal())):
        _backup(scene, body, today)
        _sync(scene, body, today, pace)


def _windows(scene: Scene, body: Body, host: Host, today: date, pace: float) -> None:
    dice, machine = scene.dice, scene.machine(host)
    start = midnight_us(today)
    server = "server" in host.roles
    calendar = scene.world.calendar
    if not server and not calendar.works(today) and dice.chance(0.8):
        return
    if server and calendar.wave(today) == 1 + (digest("wave", host.fqdn)[0] < "8"):
        _patch(scene, machine, moment_us(today, 2 + dice.random() * 2))
    shape = EVEN if server else OFFICE
    for _ in range(dice.count((26 if server else 5) * pace)):
        at = shape.draw(dice, start)
        if at < machine.booted_us + 60_000_000:
            continue
        image, line, parent = _TASKS.draw(dice)
        processes.once(
            scene,
            machine,
            at,
            image,
            line.replace("{fs}", body.one("file").name),
            machine.core[parent],
            lasts_s=dice.wait(3),
        )
    for _ in range(dice.count((9 if server else 1.5) * pace)):
        changes.changed(scene, machine, shape.draw(dice, start), dice.one(_STATES), dice.one(("running", "stopped")))
    if server:
        _roles(scene, body, machine, start, pace)
    # Machines that were off in the morning are asked whenever they come back.
    early = start + 5 * HOUR_US + dice.below(2 * HOUR_US)
    _inventory(scene, machine, early if dice.chance(0.5) else max(early, EVEN.draw(dice, start)), pace)


def _inventory(scene: Scene, machine: Machine, ts_us: int, pace: float) -> None:
    """The deployment agent asks every machine each morning, in the way that attackers like as well."""
    if not scene.dice.chance(min(0.7, 0.25 * pace)):
        return
    agent = "C:\\Windows\\CCM\\CcmExec.exe"
    parent = processes.start(scene, machine, ts_us, agent, agent, machine.core["services"])
    run = processes.once(
        scene,
        machine,
        ts_us + 400_000,
        _SHELL,
        f"powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand {encoded(_INVENTORY)}",
        parent,
        lasts_s=3.1,
    )
    processes.script(scene, run, ts_us + 1_200_000, _INVENTORY)
    processes.end(scene, parent, ts_us + 5_000_000)


def _roles(scene: Scene, body: Body, machine: Machine, start: int, pace: float) -> None:
    dice, host = scene.dice, machine.host
    netbios = body.netbios
    if {"app", "file"} & host.roles:
        # An old application still asks for tickets in the old cipher.
        for _ in range(dice.count(6 * pace)):
            logons.ticket(scene, body, EVEN.draw(dice, start), f"{netbios}\\svc-edocs", host, "svc-sql", "0x17")
    if "iis" in host.roles:
        pool = machine.core["w3wp"]
        for _ in range(dice.count(4 * pace)):
            at = OFFICE.draw(dice, start)
            # The site compiles pages and makes previews of what citizens upload.
            compiler = "C:\\Windows\\Microsoft.NET\\Framework64\\v4.0.30319\\csc.exe"
            name = dice.hexes(8)
            line = f'"{compiler}" /noconfig /fullpaths @"{_PAGES}\\root\\{name}.cmdline"'
            processes.once(scene, machine, at, compiler, line, pool, lasts_s=1.1)
            if "web" in host.roles and dice.chance(0.5):
                shell = processes.once(
                    scene,
                    machine,
                    at + 9_000_000,
                    SYSTEM32 + "cmd.exe",
                    f'"cmd.exe" /c C:\\Tools\\preview\\convert.cmd {name}.pdf',
                    pool,
                    lasts_s=2.2,
                )
                processes.once(
                    scene,
                    machine,
                    at + 9_300_000,
                    "C:\\Tools\\preview\\gswin64c.exe",
                    f"gswin64c.exe -dSAFER -sDEVICE=png16m -o {name}.png {name}.pdf",
                    shell,
                    lasts_s=1.4,
                )
                processes.writes(scene, shell, at + 10_600_000, f"C:\\inetpub\\previews\\{name}.png")
    for _ in range(dice.count(5 * pace)):
        at = EVEN.draw(dice, start)
        session = logons.logon(
            scene, machine, at, f"{netbios}\\svc-fieldwatch", 4 if dice.chance(0.4) else 5, elevated=True
        )
        logons.logoff(scene, machine, at + 2_000_000 + dice.below(60_000_000), session)
    watcher = body.one("monitoring")
    for _ in range(dice.count(6 * pace)):
        at = EVEN.draw(dice, start)
        network.connect(
            scene, at, watcher, host, 5985, sent=1900, received=dice.size(5200, 0.3), lasts_s=0.5, service="http"
        )
        logons.logon(scene, machine, at + 50_000, f"{netbios}\\svc-fieldwatch", 3, source=watcher, package="NTLM")


def worker(scene: Scene, machine: Machine, ts_us: int) -> None:
    """The worker process of a web server starts."""
    pool = "MSExchangeOWAAppPool" if "exchange" in machine.host.roles else "submissions"
    session = machine.session(ts_us, f"IIS APPPOOL\\{pool}", "S-1-5-82-3006700770-424185619", 5)
    line = (
        f'c:\\windows\\system32\\inetsrv\\w3wp.exe -ap "{pool}" -v "v4.0" -l "webengine4.dll" '
        f"-a \\\\.\\pipe\\iisipm{machine.host.name.lower()}"
    )
    machine.core["w3wp"] = processes.start(
        scene,
        machine,
        ts_us,
        SYSTEM32 + "inetsrv\\w3wp.exe",
        line,
        machine.core["services"],
        session,
        integrity="High",
        folder="C:\\Windows\\system32\\inetsrv\\",
    )


def _patch(scene: Scene, machine: Machine, ts_us: int) -> None:
    """The month's updates: an installer, a new driver's service, a restart."""
    stack = "amd64_microsoft-windows-servicingstack_31bf3856ad364e35_10.0.19041.5790_none"
    installer = f"C:\\Windows\\winsxs\\{stack}\\TiWorker.exe"
    run = processes.once(scene, machine, ts_us, installer, installer + " -Embedding", machine.core["dcom"], lasts_s=420)
    for number in range(3):
        processes.writes(scene, run, ts_us + (number + 1) * 20_000_000, f"{SYSTEM32}update-{scene.dice.hexes(6)}.dll")
    session = system(machine)
    if scene.dice.chance(0.3):
        name = f"fwdrv{scene.dice.below(90)}"
        changes.service(
            scene,
            machine,
            ts_us + 90_000_000,
            session,
            name,
            f"C:\\Windows\\System32\\drivers\\{name}.sys",
            automatic=True,
        )
    restart = ts_us + 600_000_000
    fields = {
        "param1": SYSTEM32 + "svchost.exe",
        "param2": machine.host.name,
        "param3": "Operating System: Service pack (Planned)",
        "param4": "0x80020010",
        "param5": "restart",
        "param6": "",
        "param7": "NT AUTHORITY\\SYSTEM",
    }
    windows.write(scene, machine, restart, windows.SYSTEM, 1074, fields, provider="User32")
    windows.write(scene, machine, restart + 30_000_000, windows.SYSTEM, 6006, {}, provider="EventLog")
    boot(machine, restart + 60_000_000)
    windows.write(scene, machine, restart + 75_000_000, windows.SYSTEM, 6005, {}, provider="EventLog")
    for begins in machine.at_boot:
        begins(restart + 95_000_000)


def _backup(scene: Scene, body: Body, today: date) -> None:
    """Each night the backup server takes what the others hold."""
    dice, source = scene.dice, body.one("backup")
    at = moment_us(today, 0.5 + dice.random() * 0.3)
    for host in body.with_role("server"):
        if host.kind != "windows" or host is source:
            continue
        machine = scene.machine(host)
        if at < machine.booted_us:
            continue
        full = today.weekday() == 5
        size = dice.size(9e9 if full else 4e8, 0.5)
        files = [("D$" if "file" in host.roles else "C$", f"snapshot\\{dice.hexes(8)}.vbk") for _ in range(2)]
        reach(scene, body, f"{body.netbios}\\svc-backup", source, machine, at, files, received=size, elevated=True)
        if "file" in host.roles or "dc" in host.roles:
            line = (
                "vssadmin.exe list shadows" if dice.chance(0.5) else "vssadmin.exe create shadow /for=D: /autoretry=3"
            )
            processes.once(
                scene, machine, at + 30_000_000, SYSTEM32 + "vssadmin.exe", line, machine.core["services"], lasts_s=2
            )
        at += 240_000_000 + dice.below(500_000_000)


def _sync(scene: Scene, body: Body, today: date, pace: float) -> None:
    """The directory is copied to the cloud by an account that may read all of it."""
    dice = scene.dice
    machine = scene.machine(body.one("dc"))
    hosts = body.with_role("sync")
    if not hosts:
        return
    for _ in range(dice.count(8 * min(pace, 1.5))):
        at = EVEN.draw(dice, midnight_us(today))
        network.connect(
            scene,
            at,
            hosts[0],
            machine.host,
            49_667,
            sent=9_000,
            received=dice.size(60_000, 0.5),
            lasts_s=2.0,
            service="gssapi,dce_rpc,krb",
        )
        session = logons.logon(
            scene, machine, at + 9000, f"{body.netbios}\\MSOL_{body.tenant[:12].replace('-', '')}", 3, source=hosts[0]
        )
        changes.replicated(scene, machine, at + 20_000, session)
        logons.logoff(scene, machine, at + 2_100_000, session)


_CRON: Final = Weighted(
    zipf(
        (
            ("/usr/sbin/logrotate", "/usr/sbin/logrotate /etc/logrotate.conf"),
            ("/usr/bin/find", "find /var/cache/apt -type f -mtime +30"),
            ("/usr/bin/python3", "python3 /opt/fieldwatch/agent.py --once"),
            ("/usr/bin/df", "df -P"),
            ("/usr/bin/curl", "curl -fsS -m 10 https://status.fieldwatch.example/ping"),
            ("/usr/bin/dash", "sh -c 'test -x /usr/sbin/anacron'"),
            ("/usr/bin/apt-get", "apt-get -qq update"),
            ("/usr/bin/tar", "tar -czf /var/backups/etc.tar.gz /etc"),
            ("/usr/bin/systemctl", "systemctl is-active nginx"),
            ("/usr/bin/ss", "ss -s"),
            ("/usr/bin/certbot", "certbot renew --quiet"),
            ("/usr/bin/id", "id -u"),
        )
    )
)


def _linux(scene: Scene, host: Host, today: date, pace: float) -> None:
    dice, machine = scene.dice, scene.machine(host)
    cron = linux.service(machine, "root", "/usr/sbin/cron")
    for _ in range(dice.count(14 * pace)):
        at = EVEN.draw(dice, midnight_us(today))
        image, line = _CRON.draw(dice)
        linux.run(scene, machine, at, image, line, cron)
    if "web" in host.roles:
        app = linux.service(machine, "tomcat", "/usr/lib/jvm/java-17/bin/java")
        for _ in range(dice.count(5 * pace)):
            name = dice.one(words.DOCUMENTS)
            line = f"/usr/bin/pdftotext -layout /srv/legis/in/{name}-{dice.below(900)}.pdf -"
            linux.run(
                scene,
                machine,
                OFFICE.draw(dice, midnight_us(today)),
                "/usr/bin/pdftotext",
                line,
                app,
                folder="/srv/legis",
            )
