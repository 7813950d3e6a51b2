"""Picks in, claims of passwords and keys that must be taken as known out, with the accounts that they are of.

That the memory of the logon service was opened for reading (Sysmon 10, PROCESS_VM_READ; "Process Security and Access
Rights") does not say which secrets were found there. All who were logged on must be taken as known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from tocsin.investigate.impact import commands
from tocsin.investigate.impact.picks import STRONG, Gate, Pick, mask
from tocsin.investigate.impact.tied import Tied
from tocsin.model.event import NO_TIME
from tocsin.model.impact import Bounds, Claim, Sort

SORT: Final[Sort] = "credential"

_VM_READ: Final = 0x10
_LSASS: Final = re.compile(r"\blsass\.exe$|\blsass(?:[._-].*)?\.(?:dmp|mdmp|zip)$", re.IGNORECASE)
_DUMPS: Final = re.compile(
    r"\bprocdump(?:64)?(?:\.exe)?\b.{0,200}\blsass\b|\bcomsvcs(?:\.dll)?\b.{0,100}(?:MiniDump|#\s*24|#-)|sekurlsa::|\blsass\b.{0,200}\.dmp"
    r"|\bnanodump\b|Out-Minidump|Invoke-Mimikatz|lsadump::(?:lsa|secrets|cache)",
    re.IGNORECASE | re.DOTALL,
)
_HIVES: Final = re.compile(
    r"\breg(?:\.exe)?[\"']?\s+(?:save|export)\s+[\"']?(?:HKLM|HKEY_LOCAL_MACHINE)\\(?:SAM|SECURITY|SYSTEM)\b|lsadump::sam"
    r"|\besentutl\b.{0,200}\bconfig\\(?:sam|security)\b",
    re.IGNORECASE | re.DOTALL,
)
_WORDS: Final = (
    *("procdump", "comsvcs", "sekurlsa", "lsass", "nanodump", "minidump", "mimikatz", "lsadump", "reg", "esentutl"),
)
_BACKUP_KEY: Final = re.compile(r"BCKUPKEY", re.IGNORECASE)  # of DPAPI (MS-BKRP), in the directory's policy
_SECURITY: Final = frozenset({"security"})
_SYSMON: Final = frozenset({"microsoft-windows-sysmon/operational"})
_WITH_SECRETS: Final = frozenset({"2", "7", "9", "10", "11", "12", "4", "5"})  # a network logon (3) leaves none behind
_WEAK_CIPHERS: Final = frozenset({"0x17", "0x18", "0x1", "0x3"})  # RC4 and DES: quickly tried out

GATES: Final[tuple[Gate, ...]] = (
    Gate(kind="windows", holds={"Channel": _SYSMON, "EventID": frozenset({"10"})}, found={"TargetImage": _LSASS}),
    *commands.created(_LSASS),
    Gate(
        kind="windows",
        holds={"Channel": _SECURITY, "EventID": frozenset({"4656", "4663"})},
        found={"ObjectName": _LSASS},
    ),
    *commands.gates(re.compile(f"{_DUMPS.pattern}|{_HIVES.pattern}", re.IGNORECASE | re.DOTALL), _WORDS),
    Gate(
        kind="windows",
        holds={"Channel": _SECURITY, "EventID": frozenset({"4662"})},
        found={"ObjectName": _BACKUP_KEY},
    ),
    Gate(
        kind="windows",
        holds={"Channel": _SECURITY, "EventID": frozenset({"4769"}), "TicketEncryptionType": _WEAK_CIPHERS},
    ),
    Gate(
        kind="windows",
        holds={"Channel": _SECURITY, "EventID": frozenset({"4768"}), "PreAuthType": frozenset({"0"})},
    ),
    Gate(
        kind="windows",
        holds={"Channel": _SECURITY, "EventID": frozenset({"4624"}), "LogonType": _WITH_SECRETS},
    ),
)


def claims(tied: Tied) -> Iterator[Claim]:
    logons = tied.only(lambda pick: pick.text("EventID") == "4624")
    for host, here in tied.only(_reads_memory).grouped(lambda pick: pick.host):
        if not here.sure:
            continue  # security products and the system itself open that memory all day
        last = max((pick.ts for pick, _ in here.picks if pick.ts != NO_TIME), default=NO_TIME)
        known = logons.only(_until(host, last)).names(_logged_on)
        yield here.claim(
            "accessed",
            SORT,
            f"in the memory of the logon service of {host}",
            host,
            unit="accounts",
            amount=Bounds(),
            because="that memory was opened for reading; whose secrets were in it is known as far as logons are logged",
            names=known,
            kind_of_content="technical",
            would_tell="logons (4624) on that machine since it was started",
            host=host,
        )
    hives = tied.only(lambda pick: _HIVES.search(commands.command(pick)) is not None)
    for host, here in hives.grouped(lambda pick: pick.host):
        yield here.claim(
            "staged",
            SORT,
            f"saved with the registry's secrets on {host}",
            host,
            unit="accounts",
            amount=Bounds(),
            because="a command to save them was started; which accounts are in them is not logged",
            names=(f"every local account of {host}",),
            kind_of_content="technical",
            would_tell="the list of local accounts of that machine, and file creation on it (Sysmon 11)",
            host=host,
        )
    yield from _backup_key(tied.only(lambda pick: pick.text("EventID") == "4662"))
    yield from _tickets(tied)


def _backup_key(tied: Tied) -> Iterator[Claim]:
    for host, here in tied.grouped(lambda pick: pick.host if not pick.account.endswith("$") else ""):
        yield here.claim(
            "accessed",
            SORT,
            f"in reach of the directory's backup key, which was opened on {host}",
            host,
            unit="accounts",
            amount=Bounds(),
            because="with that key whatever an account of the directory keeps protected on a machine can be opened",
            kind_of_content="technical",
            would_tell="auditing of what each account keeps protected: there is none",
            host=host,
        )


def _tickets(tied: Tied) -> Iterator[Claim]:
    for event, word, names in (
        ("4769", "in tickets for services, to be tried out elsewhere", _service),
        ("4768", "in answers without a proof of the password, to be tried out elsewhere", _unproven),
    ):
        asked = tied.only(_asked(event, names))
        for who, here in asked.grouped(lambda pick: pick.account or "an account that is not named"):
            if not here.sure:
                continue  # old services are still asked for so by everybody
            amount, known = here.counted(names, open_end="other ciphers")
            yield here.claim(
                "accessed",
                SORT,
                word,
                who,
                unit="accounts",
                amount=amount,
                because="each is encrypted with the password of its account, by a cipher that is quickly tried out",
                names=known,
                kind_of_content="technical",
                would_tell="Kerberos auditing (4768, 4769) of every domain controller",
                confidence="moderate" if amount.lower > 1 or here.best > STRONG else "low",
                host=next((pick.host for pick, _ in here.picks), ""),
            )


def _asked(event: str, names: Callable[[Pick], Iterator[str]]) -> Callable[[Pick], bool]:
    return lambda pick: pick.text("EventID") == event and any(names(pick))


def _until(host: str, last: int) -> Callable[[Pick], bool]:
    return lambda pick: pick.host == host and (last == NO_TIME or pick.ts <= last)


def _reads_memory(pick: Pick) -> bool:
    if commands.is_command(pick):
        return _DUMPS.search(commands.command(pick)) is not None
    if pick.text("EventID") == "10":
        return bool(mask(pick.text("GrantedAccess")) & _VM_READ)
    if pick.text("EventID") in {"4656", "4663"}:
        return bool(mask(pick.text("AccessMask")) & _VM_READ)
    return pick.text("EventID") == "11"


def _logged_on(pick: Pick) -> Iterator[str]:
    name, domain = pick.text("TargetUserName"), pick.text("TargetDomainName")
    if name and not name.endswith("$") and domain.lower() not in _OF_THE_SYSTEM:
        yield f"{domain}\\{name}" if domain else name


_OF_THE_SYSTEM: Final = frozenset({"nt authority", "window manager", "font driver host", "nt service"})


def _service(pick: Pick) -> Iterator[str]:
    """Accounts of services; machines change theirs every month, and `krbtgt` stands for tickets themselves."""
    name = pick.text("ServiceName")
    if name and not name.endswith("$") and name.lower() != "krbtgt" and pick.text("Status") in {"", "0x0"}:
        yield name


def _unproven(pick: Pick) -> Iterator[str]:
    name = pick.text("TargetUserName")
    if name and not name.endswith("$") and pick.text("Status") in {"", "0x0"}:
        yield name
