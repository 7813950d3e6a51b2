"""What is done to cut an intruder off: to what, why, whether it can be taken back, and by which steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Verb: TypeAlias = Literal[
    "block address",
    "block network",
    "block domain",
    "isolate host",
    "disable account",
    "reset secret",
    "revoke sessions",
    "remove grant",  # of an application to a mailbox or a tenant (OAuth)
    "remove inbox rule",
    "remove persistence",
    "quarantine hash",
    "reset krbtgt",  # twice, with what must lie between
    "renew signing certificates",  # of whoever signs in for a cloud (Golden SAML)
    "close way in",  # patch it, or take it offline until it is patched
]
VERBS: tuple[Verb, ...] = get_args(Verb)

TargetKind: TypeAlias = Literal[
    "address", "network", "domain", "host", "account", "grant", "mailbox", "persistence", "hash", "directory", "tenant"
]
TARGET_KINDS: tuple[TargetKind, ...] = get_args(TargetKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is acted on, in the normal form of its kind. `host` says where, '' where that is no question."""

    kind: TargetKind
    value: str
    host: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing to be done.

    Args:
        id: of what is done to what, so that two plans call the same action the same.
        because: indices into `Incident.findings`; `why` says it in a sentence.
        reversible: whether `undo` brings back what was; what people must do anew is told there, too.
        expires_s: after how long it is lifted by itself; 0 for what stands until somebody lifts it.
        approvals: how many people must sign before it is done.
        authorities: whose it is, as the list of assets says; empty where the list does not.
        severs: ids of links that it cuts.
        after: ids of actions of the plan that come before it.
        cost: what it costs those who work there; `minutes` how long it takes; `noise` how plainly an intruder sees it.
        preserve: hosts and accounts whose evidence is collected first.
        originators: whose intelligence it rests on, who had to agree to its being acted on.
        steps: what a person does, in order; `probes` how to see that it holds; `undo` how to take it back.
        advice: why it is only advice, and is not rendered for any enforcement; '' where it is not.
    """

    id: str
    verb: Verb
    target: Target
    because: tuple[int, ...]
    why: str
    reversible: bool
    expires_s: int
    approvals: int
    cost: int
    minutes: int
    noise: int
    authorities: tuple[str, ...] = ()
    severs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    preserve: tuple[str, ...] = ()
    originators: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    probes: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something done in the world: a program with its fixed words and values on its standard input, or a file.

    Args:
        what: in words, for whoever reads along.
        argv: the program and its words; empty where a file is written or something is posted.
        text: standard input of the program, or what the file at `path` is to hold.
        path: of the file that is replaced, '' for none; `url` where the text is posted to, '' for nowhere.
        unless: a program that ends well where this step is not needed.
        once: names this post among all, so that whoever receives it twice does it once.
        token_file: holds what proves to `url` that it is we; only its name is ever written down.
    """

    what: str
    argv: tuple[str, ...] = ()
    text: str = ""
    path: str = ""
    url: str = ""
    unless: tuple[str, ...] = ()
    once: str = ""
    token_file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What stands at an enforcer, since when and until when (UTC microseconds, 0 for no end), and for which cases."""

    verb: Verb
    target: Target
    since_us: int
    until_us: int
    cases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an enforcer is and how it is reached; whoever runs Tocsin writes it down.

    Args:
        enforcer: its name.
        run: words before each program, such as those that enter a network namespace or another machine.
        zone: name of the policy zone; `zone_file` holds it.
        control: program and words by which the resolver is told to read its zone again, without the zone's name.
        ask: address of the resolver, and its port, for probes.
        url: where a webhook is posted to; `token_file` holds what proves that it is we.
    """

    enforcer: str
    run: tuple[str, ...] = ()
    zone: str = "tocsin.rpz"
    zone_file: str = ""
    control: tuple[str, ...] = ()
    ask: str = "127.0.0.1"
    port: int = 53
    url: str = ""
    token_file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What is handed to people or machines elsewhere: a file by its name."""

    name: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What an enforcer tells of a block: whether it stands, and how much it stopped, None where it does not count."""

    target: Target
    stands: bool
    stopped: int | None = None
