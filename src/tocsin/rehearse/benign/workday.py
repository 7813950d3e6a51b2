"""A working day in, what people at their desks do on it out."""

from __future__ import annotations

from datetime import date
from typing import Final

from tocsin.rehearse import words
from tocsin.rehearse.acts import changes, logons, network, processes, web
from tocsin.rehearse.dice import Dice, Weighted, digest, zipf
from tocsin.rehearse.machine import SYSTEM32, Machine, Running, Session
from tocsin.rehearse.rhythm import OFFICE, SITTING, midnight_us, moment_us
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.world import Body, Host, Person

_OFFICE_DIR: Final = "C:\\Program Files\\Microsoft Office\\root\\Office16\\"
_EDGE: Final = "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe"
_TEAMS: Final = "C:\\Program Files\\WindowsApps\\MSTeams_25275.2601.4002.2815_x64__8wekyb3d8bbwe\\ms-teams.exe"
_AGENTS: Final = Weighted(list(words.AGENTS[:2]))

# What is started at a desk besides the great programs, commonest first: image, command line, parent.
_SMALL: Final = Weighted(
    zipf(
        (
            (_EDGE, f'"{_EDGE}" --type=renderer --lang=en-NZ --renderer-client-id={{n}}', "browser"),
            (_EDGE, f'"{_EDGE}" --type=utility --utility-sub-type=network.mojom.NetworkService', "browser"),
            (SYSTEM32 + "backgroundTaskHost.exe", '"{s}backgroundTaskHost.exe" -ServerName:App.AppX{h}.mca', "dcom"),
            (SYSTEM32 + "RuntimeBroker.exe", "{s}RuntimeBroker.exe -Embedding", "dcom"),
            (
                SYSTEM32 + "SearchProtocolHost.exe",
                '"{s}SearchProtocolHost.exe" Global\\UsGthrFltPipeMssGthrPipe{n}',
                "netsvcs",
            ),
            (SYSTEM32 + "dllhost.exe", "{s}DllHost.exe /Processid:{{AB8902B4-09CA-4BB6-B78D-A8F59079A8D5}}", "dcom"),
            (_TEAMS, f'"{_TEAMS}" --type=gpu-process --field-trial-handle={{n}}', "explorer"),
            (SYSTEM32 + "taskhostw.exe", "taskhostw.exe KEYROAMING", "netsvcs"),
            (SYSTEM32 + "smartscreen.exe", "{s}smartscreen.exe -Embedding", "dcom"),
            ("C:\\Program Files\\Adobe\\Acrobat DC\\Acrobat\\Acrobat.exe", '"Acrobat.exe" "{doc}.pdf"', "explorer"),
            (SYSTEM32 + "notepad.exe", '"{s}notepad.exe" {doc}.txt', "explorer"),
            (SYSTEM32 + "mspaint.exe", '"{s}mspaint.exe"', "explorer"),
            ("C:\\Program Files\\7-Zip\\7zFM.exe", '"C:\\Program Files\\7-Zip\\7zFM.exe" "{doc}.zip"', "explorer"),
            ("C:\\Program Files\\Zotero\\zotero.exe", '"C:\\Program Files\\Zotero\\zotero.exe"', "explorer"),
            (SYSTEM32 + "cmd.exe", 'cmd.exe /c "\\\\{ad}\\NETLOGON\\drives.cmd"', "explorer"),
            (SYSTEM32 + "gpupdate.exe", "gpupdate.exe /target:user", "netsvcs"),
            (SYSTEM32 + "SnippingTool.exe", '"{s}SnippingTool.exe"', "explorer"),
            (SYSTEM32 + "calc.exe", '"{s}calc.exe"', "explorer"),
            (
                "C:\\Program Files\\VideoLAN\\VLC\\vlc.exe",
                '"C:\\Program Files\\VideoLAN\\VLC\\vlc.exe" "{doc}.mp4"',
                "explorer",
            ),
            (SYSTEM32 + "control.exe", '"{s}control.exe" printers', "explorer"),
        ),
        1.1,
    )
)


def day(scene: Scene, body: Body, today: date, pace: float) -> None:
    """Everybody's day, in whatever order: the tape puts it right."""
    calendar = scene.world.calendar
    number = today.toordinal()
    for person in body.people:
        dice = Dice(scene.world.seed, "desk", person.id, number)
        if any(start <= number < end for start, end in person.travels):
            continue
        # In a small drill fewer people are watched, or logons alone would fill it.
        watched = 1.0 if person.role == "admin" else min(1.0, 0.1 + 1.5 * pace)
        share = (0.9 if calendar.works(today) else 0.03) * watched
        if person.role == "member" and not calendar.sits(today):
            share *= 0.35
        if dice.chance(share):
            with scene.marked(None, dice):
                _at_desk(scene, body, person, today, pace)


def _at_desk(scene: Scene, body: Body, person: Person, today: date, pace: float) -> None:
    dice, machine = scene.dice, scene.station(person)
    sits = person.role in {"member", "clerk"} and scene.world.calendar.sits(today)
    comes = moment_us(today, max(5.5, person.starts_h + dice.normal(0, 0.35)))
    goes = moment_us(today, min(23.4, person.leaves_h + dice.normal(0, 0.6) + (3.4 if sits else 0)))
    if goes <= comes:
        return
    if dice.chance(0.09):
        for _ in range(1 + dice.below(3)):
            wrong = comes - 4_000_000 - dice.below(20_000_000)
            logons.failed(scene, machine, wrong, person.account, 2)
            logons.refused_ticket(scene, body, wrong - 3000, person.account, machine.host)
    session = log_in(scene, body, person, machine, comes)
    shape = SITTING if sits else OFFICE
    start = midnight_us(today)
    browser = processes.start(
        scene, machine, comes + 50_000_000, _EDGE, f'"{_EDGE}" --no-startup-window', _shell(machine), session
    )
    machine.core["browser"] = browser
    mail = processes.start(
        scene,
        machine,
        comes + 31_000_000,
        _OFFICE_DIR + "OUTLOOK.EXE",
        f'"{_OFFICE_DIR}OUTLOOK.EXE" ',
        _shell(machine),
        session,
        folder=f"C:\\Users\\{person.user}\\",
    )
    machine.core["outlook"] = mail
    for _ in range(dice.count(17 * pace * person.rank)):
        at = shape.draw(dice, start)
        if comes + 70_000_000 < at < goes - 5_000_000:
            _something(scene, body, person, machine, at, browser)
    _leave(scene, machine, session, (browser, mail), goes)


def _shell(machine: Machine) -> Running:
    assert machine.shell is not None
    return machine.shell


def log_in(scene: Scene, body: Body, person: Person, machine: Machine, ts_us: int) -> Session:
    """Somebody sits down: logon, tickets, the shell."""
    host = machine.host
    logons.ticket(scene, body, ts_us - 40_000, person.account, host)
    session = logons.logon(scene, machine, ts_us, person.account, 11 if "laptop" in host.roles else 2)
    logons.ticket(scene, body, ts_us + 30_000, person.account, host, host.name + "$")
    shell = processes.start(
        scene,
        machine,
        ts_us + 1_400_000,
        "C:\\Windows\\explorer.exe",
        "C:\\Windows\\Explorer.EXE",
        machine.core["winlogon"],
        session,
        integrity="Medium",
        folder="C:\\Windows\\",
    )
    machine.desk, machine.shell = session, shell
    controller = scene.machine(body.with_role("dc")[ts_us // 1000 % 2])
    policy = logons.logon(
        scene, controller, ts_us + 2_000_000, person.account, 3, source=host, port=51_300 + ts_us % 900
    )
    changes.share(
        scene,
        controller,
        ts_us + 2_100_000,
        policy,
        host,
        "SYSVOL",
        f"{body.ad}\\Policies\\{{31B2F340-016D-11D2-945F-00C04FB984F9}}\\gpt.ini",
    )
    logons.logoff(scene, controller, ts_us + 14_000_000, policy)
    return session


def _leave(scene: Scene, machine: Machine, session: Session, runs: tuple[Running, ...], ts_us: int) -> None:
    for run in runs:
        processes.end(scene, run, ts_us + scene.dice.below(4_000_000))
    processes.end(scene, _shell(machine), ts_us + 5_000_000)
    logons.logoff(scene, machine, ts_us + 6_000_000, session)
    # The desk stays known until the next day: a story may need to know who sat there.


def _something(scene: Scene, body: Body, person: Person, machine: Machine, ts_us: int, browser: Running) -> None:
    dice = scene.dice
    chance = dice.random()
    if chance < 0.08 and not body.cloud:
        _mailbox(scene, body, person, machine, ts_us)
    elif chance < 0.46:
        browse(scene, person, machine, ts_us, browser)
    elif chance < 0.74:
        _small(scene, body, person, machine, ts_us)
    elif chance < 0.86:
        _on_server(scene, body, person, machine, ts_us)
    elif chance < 0.97:
        _document(scene, body, person, machine, ts_us)
    else:
        again = logons.logon(scene, machine, ts_us, person.account, 7)
        logons.logoff(scene, machine, ts_us + 400_000, again)


def browse(scene: Scene, person: Person, machine: Machine, ts_us: int, run: Running) -> None:
    """Somebody opens a page; every third time Sysmon's filter lets the program's connection through."""
    dice = scene.dice
    site = scene.world.sites.draw(dice)
    requests = [
        web.Request(target=dice.one(words.PATHS).replace("{n}", str(dice.below(9000))), received=dice.size(14_000, 1.3))
        for _ in range(1 + dice.below(3))
    ]
    if dice.chance(0.1):
        requests[0] = web.Request(method="POST", target="/api/v1/session", sent=dice.size(1200, 1.2), received=640)
    web.fetch(
        scene,
        ts_us,
        machine.host,
        site,
        requests,
        agent=_AGENTS.draw(dice),
        run=run if dice.chance(0.34) else None,
        resolve=dice.chance(0.6),
        user=person.user,
    )


def _mailbox(scene: Scene, body: Body, person: Person, machine: Machine, ts_us: int) -> None:
    """The mail program asks the body's own server, which is IIS beneath."""
    dice = scene.dice
    target = f"/mapi/emsmdb/?MailboxId={digest(person.mailbox)[:32]}@{body.mail}"
    if dice.chance(0.3):
        target = f"/owa/service.svc?action=FindItem&n={dice.below(400)}"
    requests = [
        web.Request(
            method="POST", target=target, sent=dice.size(900, 0.5), received=dice.size(9_000, 1.1), user=person.account
        )
        for _ in range(1 + dice.below(3))
    ]
    run = machine.core.get("outlook") if dice.chance(0.2) else None
    web.visit(scene, ts_us, machine.host, body.one("exchange"), requests, agent="Microsoft+Office/16.0", run=run)


def _small(scene: Scene, body: Body, person: Person, machine: Machine, ts_us: int) -> None:
    dice = scene.dice
    image, line, parent = _SMALL.draw(dice)
    document = f"C:\\Users\\{person.user}\\Documents\\{dice.one(words.DOCUMENTS)}-{dice.below(400)}"
    line = line.format(s=SYSTEM32, n=dice.below(30_000), h=dice.hexes(12), doc=document, ad=body.ad)
    run = _shell(machine) if parent == "explorer" else machine.core[parent]
    processes.once(
        scene,
        machine,
        ts_us,
        image,
        line,
        run,
        machine.desk,
        lasts_s=dice.wait(40),
        integrity="Medium",
        folder=f"C:\\Users\\{person.user}\\" if parent == "explorer" else "C:\\Windows\\system32\\",
    )


def _on_server(scene: Scene, body: Body, person: Person, machine: Machine, ts_us: int) -> None:
    dice = scene.dice
    servers = body.with_role("file")
    server = scene.machine(servers[int(dice.random() ** 2 * len(servers))])
    name = f"{dice.one(words.FOLDERS)}"
    path = f"{dice.one(words.DOCUMENTS)}\\{dice.one(words.DOCUMENTS)}-{dice.below(600)}.docx"
    reach(scene, body, person.account, machine.host, server, ts_us, [(name, path)], received=dice.size(180_000, 1.4))


def reach(
    scene: Scene,
    body: Body,
    account: str,
    source: Host,
    server: Machine,
    ts_us: int,
    files: list[tuple[str, str]],
    *,
    sent: int = 0,
    received: int = 0,
    lasts_s: float = 0.0,
    elevated: bool = False,
    package: str = "Kerberos",
) -> Session:
    """An account takes or leaves files on a server: ticket, connection, logon, shares, logoff."""
    dice = scene.dice
    if package == "Kerberos":
        logons.ticket(scene, body, ts_us - 12_000, account, source, server.host.name + "$")
    lasts_s = max(lasts_s, 1.5 + dice.wait(20) + (sent + received) / 4e7)
    link = network.connect(
        scene,
        ts_us,
        source,
        server.host,
        445,
        sent=4_200 + 700 * len(files) + sent,
        received=3_900 + 900 * len(files) + received,
        lasts_s=lasts_s,
        service="gssapi,smb,krb" if package == "Kerberos" else "gssapi,smb,ntlm",
    )
    session = logons.logon(
        scene,
        server,
        ts_us + 15_000,
        account,
        3,
        source=source,
        port=link.sport,
        elevated=elevated,
        package=package,
    )
    for number, (name, path) in enumerate(files):
        at = ts_us + 40_000 + int(number * (lasts_s - 0.2) * 1e6 / len(files))
        changes.share(scene, server, at, session, source, name, path, port=link.sport)
    logons.logoff(scene, server, ts_us + int(lasts_s * 1e6) + 9000, session)
    return session


def _document(scene: Scene, body: Body, person: Person, machine: Machine, ts_us: int) -> None:
    dice = scene.dice
    name, end = dice.one((("WINWORD", "docx"), ("WINWORD", "docx"), ("EXCEL", "xlsx"), ("POWERPNT", "pptx")))
    path = f"C:\\Users\\{person.user}\\Documents\\{dice.one(words.DOCUMENTS)}-{dice.below(400)}.{end}"
    image = f"{_OFFICE_DIR}{name}.EXE"
    lasts = 60 + dice.wait(900)
    run = processes.once(
        scene,
        machine,
        ts_us,
        image,
        f'"{image}" /n "{path}" /o ""',
        _shell(machine),
        machine.desk,
        lasts_s=lasts,
        folder=f"C:\\Users\\{person.user}\\Documents\\",
    )
    folder, _, base = path.rpartition("\\")
    processes.writes(scene, run, ts_us + 2_000_000, f"{folder}\\~${base[2:]}")
    if dice.chance(0.3):
        key = f"HKU\\{person.sid}\\Software\\Microsoft\\Office\\16.0\\{name.title()}\\File MRU\\Item 1"
        processes.sets(scene, run, ts_us + 2_400_000, key, f"[F00000000][T01DC{dice.hexes(12).upper()}]*{path}")
    if dice.chance(0.12):
        # Add-ins of a drafting system are started by the word processor.
        processes.once(
            scene,
            machine,
            ts_us + 9_000_000,
            "C:\\Program Files\\Draftwise\\dwconvert.exe",
            f'"C:\\Program Files\\Draftwise\\dwconvert.exe" --in "{path}" --out pdf',
            run,
        )
    if dice.chance(0.25):
        printer = scene.machine(body.one("print"))
        network.connect(
            scene,
            ts_us + 30_000_000,
            machine.host,
            printer.host,
            445,
            sent=dice.size(300_000, 1.0),
            received=6000,
            lasts_s=2.0,
            service="gssapi,smb,krb",
        )
        logons.logon(scene, printer, ts_us + 30_100_000, person.account, 3, source=machine.host)
