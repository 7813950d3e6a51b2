"""What people and services do on a Linux machine in, what it wrote down of it out."""

from __future__ import annotations

import shlex

from tocsin.rehearse.acts.network import End, address, connect
from tocsin.rehearse.dice import digest
from tocsin.rehearse.machine import Machine, Running, Session
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.sensors import linux


def service(machine: Machine, user: str, image: str) -> Running:
    """A service that has run since the machine was started; there is no record of its start."""
    known = machine.core.get(image)
    if known:
        return known
    session = Session(account=user, sid=str(linux.number_of(user)), number=0, guid="", kind=0, since_us=0)
    run = Running(
        machine=machine,
        image=image,
        line=image,
        pid=500 + int(digest(image)[:3], 16) % 900,
        guid="",
        session=session,
        parent=None,
        since_us=machine.booted_us,
    )
    machine.core[image] = run
    return run


def run(
    scene: Scene,
    machine: Machine,
    ts_us: int,
    image: str,
    line: str,
    parent: Running,
    session: Session | None = None,
    *,
    folder: str = "/",
) -> Running:
    """A program is started; `line` is what a shell would be told."""
    started = Running(
        machine=machine,
        image=image,
        line=line,
        pid=2000 + machine.count("pid", int(digest(machine.host.name)[:4], 16)) % 60_000,
        guid="",
        session=session or parent.session,
        parent=parent,
        since_us=ts_us,
    )
    linux.executed(scene, machine, ts_us, started, shlex.split(line), folder=folder)
    return started


def ssh(
    scene: Scene, machine: Machine, ts_us: int, user: str, source: End, *, lasts_s: float, key: bool = True
) -> Session:
    """Somebody logs on over SSH."""
    size = int(4000 + lasts_s * 90)
    link = connect(scene, ts_us, source, machine.host, 22, sent=size, received=size * 3, lasts_s=lasts_s, service="ssh")
    pid = 2000 + machine.count("pid", int(digest(machine.host.name)[:4], 16)) % 60_000
    session = Session(
        account=user,
        sid=str(linux.number_of(user)),
        number=machine.count("session", 211),
        guid="",
        kind=10,
        since_us=ts_us,
    )
    how = f"publickey for {user}" if key else f"password for {user}"
    tail = f": ED25519 SHA256:{digest('key', user)[:43]}" if key else ""
    at = ts_us + 400_000
    where = address(source)
    text = f"Accepted {how} from {where} port {link.sport} ssh2{tail}"
    linux.logged(scene, machine, at, "sshd", pid, text)
    linux.logged(scene, machine, at + 9000, "sshd", pid, f"pam_unix(sshd:session): session opened for user {user}")
    uid = session.sid
    linux.told(
        scene,
        machine,
        at,
        "USER_LOGIN",
        f"pid={pid} uid=0 auid={uid} ses={session.number} subj=unconfined msg='op=login id={uid} "
        f'exe="/usr/sbin/sshd" hostname={where} addr={where} terminal=/dev/pts/0 res=success\'',
    )
    end = ts_us + int(lasts_s * 1e6)
    linux.logged(scene, machine, end, "sshd", pid, f"pam_unix(sshd:session): session closed for user {user}")
    machine.core[f"ssh {session.number}"] = Running(
        machine=machine,
        image="/usr/bin/bash",
        line="-bash",
        pid=pid + 3,
        guid="",
        session=session,
        parent=None,
        since_us=at,
    )
    return session


def shell(machine: Machine, session: Session) -> Running:
    """The shell of somebody who came over SSH; forgotten when they leave."""
    return machine.core.pop(f"ssh {session.number}")


def refused(scene: Scene, machine: Machine, ts_us: int, user: str, source: End) -> None:
    """A wrong password for SSH, or no such account."""
    link = connect(scene, ts_us, source, machine.host, 22, sent=1900, received=2400, lasts_s=2.2, service="ssh")
    pid = 2000 + machine.count("pid", int(digest(machine.host.name)[:4], 16)) % 60_000
    text = f"Failed password for invalid user {user} from {address(source)} port {link.sport} ssh2"
    linux.logged(scene, machine, ts_us + 1_800_000, "sshd", pid, text)


def sudo(scene: Scene, machine: Machine, ts_us: int, shell_run: Running, line: str) -> Running:
    """Somebody does something as root."""
    user = shell_run.session.user
    image = shlex.split(line)[0]
    text = f"{user:>8} : TTY=pts/0 ; PWD=/home/{user} ; USER=root ; COMMAND={line}"
    linux.logged(scene, machine, ts_us, "sudo", shell_run.pid + 1, text)
    root = Session(
        account="root",
        sid="0",
        number=shell_run.session.number,
        guid="",
        kind=shell_run.session.kind,
        since_us=ts_us,
        terminal=linux.number_of(user),
    )
    return run(scene, machine, ts_us + 20_000, image, line, shell_run, root, folder=f"/home/{user}")
