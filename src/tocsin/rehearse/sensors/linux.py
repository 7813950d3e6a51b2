"""What happens on a Linux machine in, lines of auditd and of the authentication log out.

auditd: auditd.conf(5) with `log_format = RAW` and audit.rules(7) that watch execve; the authentication log as rsyslog
writes it with full times (RFC 3339).
"""

from __future__ import annotations

from typing import Final

from tocsin.rehearse.dice import digest
from tocsin.rehearse.machine import Machine, Running
from tocsin.rehearse.rhythm import clock
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.tape import Payload

_UNSET: Final = 4_294_967_295
IDS: Final = {"root": 0, "www-data": 33, "tomcat": 998, "proxy": 13, "postfix": 89, "bind": 53, "monitor": 997}


def number_of(user: str) -> int:
    """The number of an account; people's begin at 1000."""
    return IDS.get(user, 1000 + sum(user.encode()) % 400)


def _quoted(text: str) -> str:
    """A value as the kernel writes it: in hexadecimal where it holds a blank, a quote or what is not ASCII."""
    if all(33 <= ord(letter) < 127 and letter != '"' for letter in text):
        return f'"{text}"'
    return text.encode().hex().upper()


def executed(scene: Scene, machine: Machine, ts_us: int, run: Running, words: list[str], *, folder: str) -> None:
    """A program was started: SYSCALL, EXECVE, CWD, PATH, PROCTITLE with one serial number."""
    at = machine.clock(ts_us)
    stamp = f"msg=audit({at // 1_000_000}.{at // 1000 % 1000:03}:@SERIAL@):"
    uid = number_of(run.session.user)
    # Who logged in stays the same through sudo; `terminal` of a session on Linux keeps it.
    auid = (run.session.terminal or uid) if run.session.kind else _UNSET
    session = run.session.number if run.session.kind else _UNSET
    parent = run.parent.pid if run.parent else 1
    tty = "pts0" if run.session.kind == 10 else "(none)"
    inode = int(digest(run.image)[:5], 16)
    argument = " ".join(f"a{place}={_quoted(word)}" for place, word in enumerate(words))
    lines = (
        f"type=SYSCALL {stamp} arch=c000003e syscall=59 success=yes exit=0 "
        f"a0=55d{inode % 4096:03x}0 a1=55e0 a2=55f0 a3=8 "
        f"items=2 ppid={parent} pid={run.pid} auid={auid} uid={uid} gid={uid} euid={uid} suid={uid} fsuid={uid} "
        f'egid={uid} sgid={uid} fsgid={uid} tty={tty} ses={session} comm="{run.name[:15]}" exe="{run.image}" '
        'subj=unconfined key="exec"\n'
        f"type=EXECVE {stamp} argc={len(words)} {argument}\n"
        f"type=CWD {stamp} cwd={_quoted(folder)}\n"
        f'type=PATH {stamp} item=0 name="{run.image}" inode={inode} dev=08:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 '
        "nametype=NORMAL cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0\n"
        f"type=PROCTITLE {stamp} proctitle={'00'.join(word.encode().hex().upper() for word in words)}\n"
    )
    _audit(scene, machine, ts_us, lines)


def told(scene: Scene, machine: Machine, ts_us: int, kind: str, text: str) -> None:
    """A record of user space, such as USER_LOGIN."""
    at = machine.clock(ts_us)
    _audit(scene, machine, ts_us, f"type={kind} msg=audit({at // 1_000_000}.{at // 1000 % 1000:03}:@SERIAL@): {text}\n")


def _audit(scene: Scene, machine: Machine, ts_us: int, lines: str) -> None:
    if machine.silent(ts_us):
        return
    stream = scene.tape.stream(f"linux/{machine.host.name}/audit-{{day}}.log", finish=_finish)
    scene.tape.put(stream, ts_us, (machine, lines), scene.mark)


def _finish(payload: Payload) -> bytes:
    """Give the event its serial number, now that its place is known."""
    machine, lines = payload
    text: str = lines.replace("@SERIAL@", str(machine.count("audit", 4100)))
    return text.encode()


def logged(scene: Scene, machine: Machine, ts_us: int, tag: str, pid: int, text: str, log: str = "auth") -> None:
    """A line for syslog."""
    shown = clock(machine.clock(ts_us), micro=True) + "+00:00"
    line = f"{shown} {machine.host.name} {tag}[{pid}]: {text}\n"
    stream = scene.tape.stream(f"linux/{machine.host.name}/{log}-{{day}}.log")
    scene.tape.put(stream, ts_us, line, scene.mark)
