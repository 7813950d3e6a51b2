"""Access to a file server in, what was gathered, packed and sent away out."""

from __future__ import annotations

from typing import Final

from tocsin.rehearse import words
from tocsin.rehearse.acts import processes
from tocsin.rehearse.benign.workday import reach
from tocsin.rehearse.machine import SYSTEM32
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.stories.hold import MINUTE, Hold, either, implant
from tocsin.rehearse.stories.means import calls_home
from tocsin.rehearse.stories.story import Story

_STAGE: Final = "C:\\ProgramData\\Microsoft\\Diagnosis\\ETLLogs\\"
# What they want: network drawings and configurations first, then what is drafted. Technical, and content.
_WANTED: Final = (("IT", "technical"), ("Drafting", "content"), ("Committees", "content"))


def _does(story: Story, techniques: str) -> bool:
    return bool(story.profile and story.profile.does(techniques))


def gathers(scene: Scene, story: Story, hold: Hold, ts_us: int, part: int) -> None:
    """Files are read from shares, more than a person would, under one account and then another.

    Each share is read in three goes: from the web server through a tunnel, and from the jump host.
    """
    if not _does(story, "T1039"):
        return
    dice, body = story.dice, story.body
    if part == 0:
        hold.folders.append(_WANTED[len(hold.folders) % len(_WANTED)][0])
    folder, kind = _WANTED[(len(hold.folders) - 1) % len(_WANTED)]
    account = (hold.account, *hold.others)[part % (1 + len(hold.others))]
    jump = body.one("jump")
    source = jump if hold.second and part != 1 else hold.web.host
    servers = body.with_role("file")
    server = scene.machine(servers[(len(hold.folders) + part) % len(servers)])
    kinds = [(dice.one(words.DOCUMENTS), dice.one(words.DOCUMENTS)) for _ in range(9 + dice.below(9))]
    names = [(folder, f"{one}\\{other}-{number}.docx") for number, (one, other) in enumerate(kinds)]
    what = f"The share {folder} is read through ({kind})"
    with story.step(scene, ts_us, "T1039", what, host=server.host, account=account, again=f"reads-{folder.lower()}"):
        lasts = 500 + dice.below(900)
        size = dice.size(50e6, 0.4)
        reach(scene, body, account, source, server, ts_us, names, received=size, lasts_s=lasts, elevated=part == 0)
    story.hosts.add(source.fqdn)


def packs(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """What was read is packed under a password, in parts of a size that passes unnoticed."""
    if not (_does(story, "T1560.001") and hold.folders):
        return
    dice, machine = story.dice, hold.web
    run, folder = implant(hold), hold.folders[-1]
    parts, size = 4 + dice.below(4), dice.size(19e6, 0.3)
    name = f"{_STAGE}{folder.lower()}"
    tool = "C:\\Windows\\Temp\\mstdc.exe"
    what = f"What was read from {folder} is packed with a password"
    with story.step(scene, ts_us, "T1560.001 T1074.001", what, host=machine.host, account="NT AUTHORITY\\SYSTEM"):
        if len(hold.folders) == 1:
            processes.writes(scene, run, ts_us - MINUTE // 3, tool)
        line = f"{tool} a -r -v{size // 1000}k -hp{dice.letters(12)} {name}.cab {_STAGE}tmp\\"
        shell = processes.once(scene, machine, ts_us, SYSTEM32 + "cmd.exe", f'"cmd.exe" /c {line}', run, lasts_s=60)
        packer = processes.once(scene, machine, ts_us + 50_000, tool, line, shell, lasts_s=58, copy_of="rar.exe")
        for part in range(parts):
            at = ts_us + (8 * part + 5) * 1_000_000
            processes.writes(scene, packer, at, f"{name}.part{part + 1:02}.cab")
            # The last part is what is left over.
            length = size if part + 1 < parts else 1 + dice.below(size)
            hold.parts.append((folder, length))
            story.staged += length


def sends(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """A few parts a day go to their server, in working hours, between calls of the usual size."""
    if not (_does(story, "T1041") and hold.parts):
        return
    dice = story.dice
    what = "Parts of the archives leave for their server"
    with story.step(scene, ts_us, "T1041", what, host=hold.web.host, again="leaves"):
        at = ts_us
        for folder, length in hold.parts[: 2 + dice.below(2)]:
            hold.parts.pop(0)
            site, run = dice.one(hold.means.home), either(hold, dice)
            story.hosts.add(run.machine.host.fqdn)
            calls_home(scene, story, run, site, at, sent=length, received=310, lasts_s=length / 900_000)
            story.takes("technical" if folder == "IT" else "content", length)
            at += 9 * MINUTE + dice.below(30 * MINUTE)
