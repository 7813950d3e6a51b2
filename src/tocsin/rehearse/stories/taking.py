"""Access to a file server in, what was gathered, packed and sent away out."""

from __future__ import annotations

from typing import Final

from tocsin.rehearse import words
from tocsin.rehearse.acts import processes
from tocsin.rehearse.benign.workday import reach
from tocsin.rehearse.machine import SYSTEM32
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.stories.hold import MINUTE, Hold, implant
from tocsin.rehearse.stories.means import calls_home
from tocsin.rehearse.stories.story import Story

_STAGE: Final = "C:\\ProgramData\\Microsoft\\Diagnosis\\ETLLogs\\"
# What they want: network drawings and configurations first, then what is drafted. Technical, and content.
_WANTED: Final = (("IT", "technical"), ("Drafting", "content"), ("Committees", "content"))


def _does(story: Story, techniques: str) -> bool:
    return bool(story.profile and story.profile.does(techniques))


def gathers(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """Files are read from shares, many more than a person would."""
    if not _does(story, "T1039"):
        return
    dice, body = story.dice, story.body
    files = scene.machine(body.one("file"))
    folder, kind = _WANTED[len(hold.staged) % len(_WANTED)]
    names = [
        (folder, f"{dice.one(words.DOCUMENTS)}\\{dice.one(words.DOCUMENTS)}-{number}.docx")
        for number in range(26 + dice.below(20))
    ]
    size = dice.size(160e6, 0.3)
    with story.step(
        scene, ts_us, "T1039", f"The share {folder} is read through ({kind})", host=files.host, account=hold.account
    ):
        # Through the tunnel, so that the file server sees the web server come.
        reach(
            scene,
            body,
            hold.account,
            hold.web.host,
            files,
            ts_us,
            names,
            received=size,
            lasts_s=900 + dice.below(900),
            elevated=True,
        )
    hold.staged.append((folder, size))
    story.hosts.add(hold.web.host.fqdn)


def packs(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """What was read is packed under a password, in parts of a size that passes unnoticed."""
    if not (_does(story, "T1560.001") and hold.staged):
        return
    dice, machine = story.dice, hold.web
    run = implant(hold)
    folder, size = hold.staged[-1]
    parts = 4 + dice.below(4)
    with story.step(
        scene,
        ts_us,
        "T1560.001 T1074.001",
        f"What was read from {folder} is packed with a password",
        host=machine.host,
        account="NT AUTHORITY\\SYSTEM",
    ):
        tool = "C:\\Windows\\Temp\\mstdc.exe"
        if len(hold.staged) == 1:
            processes.writes(scene, run, ts_us - MINUTE // 3, tool)
        line = f"{tool} a -r -v{size // parts // 1_000_000 + 1}m -hp{dice.letters(12)} {_STAGE}{folder.lower()}.cab {_STAGE}tmp\\"
        shell = processes.once(scene, machine, ts_us, SYSTEM32 + "cmd.exe", f'"cmd.exe" /c {line}', run, lasts_s=60)
        packer = processes.once(scene, machine, ts_us + 50_000, tool, line, shell, lasts_s=58, copy_of="rar.exe")
        for part in range(parts):
            processes.writes(
                scene, packer, ts_us + (8 * part + 5) * 1_000_000, f"{_STAGE}{folder.lower()}.part{part + 1:02}.cab"
            )
    story.staged += size


def sends(scene: Scene, story: Story, hold: Hold, ts_us: int) -> None:
    """A few parts a day go to their server, in working hours, between calls of the usual size."""
    if not (_does(story, "T1041") and hold.staged):
        return
    dice = story.dice
    run = implant(hold)
    with story.step(
        scene, ts_us, "T1041", "Parts of the archives leave for their server", host=hold.web.host, again="leaves"
    ):
        at = ts_us
        for _ in range(2 + dice.below(2)):
            folder, size = dice.one(hold.staged)
            part = size // 9 + dice.below(900_000)
            calls_home(
                scene, story, run, dice.one(hold.means.home), at, sent=part, received=310, lasts_s=part / 900_000
            )
            story.takes("technical" if folder == "IT" else "content", part)
            at += 9 * MINUTE + dice.below(30 * MINUTE)
