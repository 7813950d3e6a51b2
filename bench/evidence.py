"""Corpora of real logs in, a benchmark's evidence of any size out: seeded, varied and written as a stream.

    python bench/evidence.py jsonl OUT --events 60000 [--distinct 0.3] [--commands 0.2] [--seed 1]
    python bench/evidence.py evtx OUT --records 100000 [--seed 1]

JSON lines: the Windows logs of `security-datasets` are interleaved in proportion to their size. An
event is kept byte for byte (key order, escapes, everything it says) but for what differs between two
runs of one attack: times, record ids, process ids and GUIDs, and a share of the command lines.
A replica changes ids by one key of its own, so that a process is the same process in all its events.

EVTX: the chunks of the sample files behind one header, in shuffled order. Their records are signed by a
checksum and compressed by templates, so nothing in them is varied.
"""

from __future__ import annotations

import argparse
import heapq
import io
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import IO

from evtx import PyEvtxParser

VERSION = 1  # part of the names of cached files: raise it when the same seed gives other bytes
DISTINCT = 0.3

CHUNK_BYTES = 65536
HEADER_BYTES = 4096
MAX_CHUNKS = 0xFFFF  # the header counts them in 16 bits

_TIME = re.compile(rb"(?<!\d)((?:19|20)\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?!\d)")
_RECORD_ID = re.compile(rb'("(?:RecordNumber|record_number|EventRecordID|record_id)":"?)\d+')
_PROCESS_ID = re.compile(rb'("\w*[Pp]rocess_?I[Dd]":"?|Process ?I[Dd]:(?: |\\t)*)(0x[0-9a-fA-F]{1,8}|\d{1,9})\b')
_GUID = re.compile(rb'"\w*(?:Process|Logon)G(?:uid|UID)":"\{([0-9A-Fa-f-]{36})\}"')
_COMMAND = re.compile(rb'"((?:Parent)?CommandLine|ScriptBlockText)":"((?:[^"\\]|\\.)+)"')
_MESSAGE = re.compile(rb'"[Mm]essage":"(?:[^"\\]|\\.)*"')
_ESCAPED_QUOTE = rb"\""

_NAMES = ("anna", "boris", "chen", "dora", "emil", "farid", "greta", "ines", "katja", "lars", "olga", "samir")


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """One log inside an archive (or lines in memory), and how many events can be read from it."""

    name: str
    open: Callable[[], Iterator[bytes]]
    events: int


# --- the corpora


def _zip_lines(archive: Path, member: str) -> Iterator[bytes]:
    with zipfile.ZipFile(archive) as pack, pack.open(member) as stream:
        yield from _whole_lines(stream)


def _tar_lines(archive: Path, member: str) -> Iterator[bytes]:
    with tarfile.open(archive, "r|gz") as pack:
        for entry in pack:
            stream = pack.extractfile(entry) if entry.name == member else None
            if stream is not None:
                yield from _whole_lines(stream)
                return


def _whole_lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield lines without their end; a line that a truncated archive breaks off is left out."""
    try:
        for line in stream:
            whole = line.strip()
            if whole.endswith(b"}"):
                yield whole
    except (EOFError, tarfile.ReadError):  # cut off, or other bytes follow the end
        return


def _members(archive: Path) -> Iterator[tuple[str, Callable[[Path, str], Iterator[bytes]]]]:
    if archive.suffix.lower() == ".zip":
        with zipfile.ZipFile(archive) as pack:
            names = pack.namelist()
        yield from ((name, _zip_lines) for name in names if _is_log(name))
        return
    with tarfile.open(archive, "r|gz") as pack:
        first = pack.next()  # each holds one file; what follows it may be cut off
        if first is not None and _is_log(first.name):
            yield first.name, _tar_lines


def _is_log(name: str) -> bool:
    return name.endswith(".json") and not name.startswith("__MACOSX/")


def windows_logs(corpus: Path) -> list[Log]:
    """List the Windows logs under `corpus` (security-datasets), with the number of events each can give."""
    logs = []
    for archive in sorted((corpus / "atomic" / "windows").rglob("*")):
        if not archive.name.endswith((".zip", ".tar.gz")):
            continue
        for member, lines in _members(archive):
            count = sum(1 for _ in lines(archive, member))
            logs.append(Log(name=member, open=_opener(lines, archive, member), events=count))
    if not logs:
        raise FileNotFoundError(f"no Windows logs under {corpus}")
    return logs


def _opener(lines: Callable[[Path, str], Iterator[bytes]], archive: Path, member: str) -> Callable[[], Iterator[bytes]]:
    return lambda: lines(archive, member)


def command_log(logs: Iterable[Log]) -> Log:
    """Collect the events that carry a command line or a script: a few hundred, so they are kept in memory."""
    lines = [line for log in logs for line in log.open() if _COMMAND.search(line)]
    return Log(name="commands", open=lambda: iter(lines), events=len(lines))


# --- variation


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """What one pass over a log changes in all of its events alike."""

    shift_s: int
    process_key: int
    guid_key: int


def _replica(rng: Random, number: int) -> Replica:
    return Replica(
        shift_s=number * 86_400 + rng.randrange(-1800, 1800),
        process_key=rng.randrange(1, 1 << 12),
        guid_key=rng.randrange(1, 1 << 48),
    )


def vary(line: bytes, replica: Replica, rng: Random, *, record_id: int, distinct: float) -> bytes:
    """Give one event its own times, ids and, with probability `distinct`, its own command lines."""
    shift = timedelta(seconds=replica.shift_s + rng.randrange(-2, 3))
    line = _TIME.sub(lambda found: _later(found[1], shift), line)
    line = _RECORD_ID.sub(rb"\g<1>%d" % record_id, line)
    line = _PROCESS_ID.sub(lambda found: found[1] + _other_process(found[2], replica.process_key), line)
    for guid in set(_GUID.findall(line)):
        line = line.replace(guid, _other_guid(guid, replica.guid_key))
    if rng.random() < distinct:
        line = _own_commands(line, rng)
    return line


def _later(text: bytes, shift: timedelta) -> bytes:
    try:
        time = datetime.fromisoformat(text.decode()) + shift
    except ValueError:  # looks like a time, but is none
        return text
    return time.isoformat(sep=chr(text[10])).encode()


def _other_process(text: bytes, key: int) -> bytes:
    """Change a process id, keeping its spelling. 0 and 4 are the same on every Windows."""
    base = 16 if text.startswith(b"0x") else 10
    number = int(text, base)
    if number <= 4:
        return text
    number ^= key << 2
    return (hex(number) if base == 16 else str(number)).encode()


def _other_guid(text: bytes, key: int) -> bytes:
    """Change the middle of a GUID: its first group names the machine, its last counts."""
    groups = text.split(b"-")
    if int(text.replace(b"-", b""), 16) == 0:
        return text
    middle = int(b"".join(groups[1:4]), 16) ^ key
    digits = b"%012X" % middle if text.upper() == text else b"%012x" % middle
    return b"-".join((groups[0], digits[:4], digits[4:8], digits[8:], groups[4]))


def _own_commands(line: bytes, rng: Random) -> bytes:
    for key, text in dict(_COMMAND.findall(line)).items():
        insert = _into_script if key == b"ScriptBlockText" else _into_command
        changed = insert(text, rng)
        line = line.replace(b'"%s":"%s"' % (key, text), b'"%s":"%s"' % (key, changed))
        if len(text) >= 8:  # shorter texts stand in messages for other reasons
            line = _MESSAGE.sub(_replacer(text, changed), line)
    return line


def _replacer(old: bytes, new: bytes) -> Callable[[re.Match[bytes]], bytes]:
    return lambda found: found[0].replace(old, new)


def _into_command(text: bytes, rng: Random) -> bytes:
    """Insert one argument between two arguments, or at the end, of a command line in JSON's escapes."""
    program = text.find(_ESCAPED_QUOTE, 2) if text.startswith(_ESCAPED_QUOTE) else text.find(b" ")
    gaps = [gap.start() for gap in re.finditer(rb" (?=\S)", text) if 0 <= program <= gap.start()]
    at = rng.choice([*gaps, len(text)])
    return text[:at] + b" " + _argument(rng) + text[at:]


def _argument(rng: Random) -> bytes:
    name, tag = rng.choice(_NAMES), f"{rng.getrandbits(48):012x}"
    form = rng.choice(
        (
            f"/tag:{tag}",
            f"-Id {int(tag, 16)}",
            f"--user {name}.{tag}",
            rf"C:\\Users\\{name}\\AppData\\Local\\Temp\\{tag}.tmp",
            rf"\"{name} {tag}\"",
        )
    )
    return form.encode()


def _into_script(text: bytes, rng: Random) -> bytes:
    tag = rng.getrandbits(48)
    if rng.random() < 0.5:
        return b"$run_%x = %d; " % (tag, rng.randrange(10_000)) + text
    return text + rb"\n# %s %x" % (rng.choice(_NAMES).encode(), tag)


# --- JSON lines


def _shares(logs: list[Log], events: int) -> list[int]:
    """Split `events` over logs in proportion to their size, exactly."""
    total = sum(log.events for log in logs)
    shares = [events * log.events // total for log in logs]
    largest = sorted(range(len(logs)), key=lambda i: -(events * logs[i].events % total))
    for i in largest[: events - sum(shares)]:
        shares[i] += 1
    return shares


def _drawn(log: Log, wanted: int) -> Iterator[tuple[int, bytes]]:
    """Yield `wanted` events and the number of their pass; if fewer than there are, evenly spaced ones."""
    step = max(log.events, wanted)
    given = 0
    for number in range(-(-wanted // max(log.events, 1))):
        for index, line in enumerate(log.open()):
            if given == wanted:
                return
            if wanted >= log.events or index * wanted // step != (index + 1) * wanted // step:
                given += 1
                yield number, line


def _varied(log: Log, wanted: int, seed: int, distinct: float) -> Iterator[tuple[float, str, bytes]]:
    """Yield events with the place in the whole (0 to 1) where each belongs."""
    rng = Random(f"{VERSION}/{seed}/{log.name}")
    first_id = rng.randrange(1, 1_000_000)
    last, replica = -1, _replica(rng, 0)
    for given, (number, line) in enumerate(_drawn(log, wanted)):
        if number != last:
            last, replica = number, _replica(rng, number)
        place = (given + rng.random()) / wanted
        yield place, log.name, vary(line, replica, rng, record_id=first_id + given, distinct=distinct)


def windows_events(
    logs: list[Log], events: int, *, seed: int = 1, distinct: float = DISTINCT, commands: float | None = None
) -> Iterator[bytes]:
    """Yield exactly `events` lines of JSON, the logs interleaved.

    Args:
        distinct: share of the command lines (and script blocks) made unlike any other.
        commands: share of the events that carry a command line; None leaves it as the corpora have it, about
            one in three hundred. A share leaves the others as drawn, so the result holds slightly more.
    """
    with_commands = 0 if commands is None else round(events * commands)
    parts = list(zip(logs, _shares(logs, events - with_commands), strict=True))
    if with_commands:
        parts.append((command_log(logs), with_commands))
    streams = [_varied(log, wanted, seed, distinct) for log, wanted in parts if wanted]
    return (line for _, _, line in heapq.merge(*streams, key=lambda drawn: drawn[:2]))


def write_jsonl(
    out: Path,
    corpus: Path,
    events: int,
    *,
    seed: int = 1,
    distinct: float = DISTINCT,
    commands: float | None = None,
) -> int:
    """Write `events` events as JSON lines; return the bytes. `out` appears only when it is complete."""
    part = out.with_name(out.name + ".part")
    size = 0
    with part.open("wb", buffering=1 << 20) as file:
        for line in windows_events(windows_logs(corpus), events, seed=seed, distinct=distinct, commands=commands):
            size += file.write(line + b"\n")
    part.replace(out)
    return size


# --- EVTX


def _header(chunks: int, next_record: int) -> bytes:
    """Write the file header: [MS-EVEN6] does not give it; the fields are those every reader checks."""
    fields = struct.pack("<8sQQQIHHHH", b"ElfFile\0", 0, chunks - 1, next_record, 128, 1, 3, HEADER_BYTES, chunks)
    fields = fields.ljust(120, b"\0")
    return (fields + struct.pack("<II", 0, zlib.crc32(fields))).ljust(HEADER_BYTES, b"\0")


def _chunks(corpus: Path) -> list[tuple[bytes, int]]:
    """List the chunks of all sample files that the library reads, and how many records each holds."""
    found = []
    for path in sorted(corpus.rglob("*.evtx")):
        content = path.read_bytes()
        for start in range(HEADER_BYTES, len(content) - CHUNK_BYTES + 1, CHUNK_BYTES):
            chunk = content[start : start + CHUNK_BYTES]
            records = _count(io.BytesIO(_header(1, 1) + chunk)) if chunk.startswith(b"ElfChnk\0") else 0
            if records:
                found.append((chunk, records))
    if not found:
        raise FileNotFoundError(f"no EVTX chunks under {corpus}")
    return found


def _count(source: str | IO[bytes]) -> int:
    try:
        return sum(1 for _ in PyEvtxParser(source, number_of_threads=1).records_json())
    except (RuntimeError, OSError):
        return 0


def write_evtx(out: Path, corpus: Path, records: int, *, seed: int = 1) -> int:
    """Write an EVTX file of at least `records` records, in whole chunks; return how many there are."""
    chunks = _chunks(corpus)
    rng = Random(f"{VERSION}/{seed}/evtx")
    part = out.with_name(out.name + ".part")
    written = total = 0
    with part.open("wb", buffering=1 << 20) as file:
        file.write(bytes(HEADER_BYTES))
        while total < records:
            for chunk, held in rng.sample(chunks, len(chunks)):
                if total >= records:
                    break
                if written == MAX_CHUNKS:
                    raise ValueError(f"{records} records need more than the {MAX_CHUNKS} chunks of one file")
                file.write(chunk)
                written, total = written + 1, total + held
        file.seek(0)
        file.write(_header(written, total + 1))
    part.replace(out)
    return total


# --- the command line


def main(argv: list[str] | None = None) -> None:
    shared = Path(__file__).resolve().parents[1].parent / "shared" / "corpus"
    parser = argparse.ArgumentParser(description="Make evidence for benchmarks.")
    kinds = parser.add_subparsers(dest="kind", required=True)
    jsonl = kinds.add_parser("jsonl", help="Windows events as JSON lines")
    jsonl.add_argument("out", type=Path)
    jsonl.add_argument("--events", type=int, default=60_000)
    jsonl.add_argument("--distinct", type=float, default=DISTINCT)
    jsonl.add_argument("--commands", type=float, default=None)
    jsonl.add_argument("--corpus", type=Path, default=shared / "security-datasets")
    evtx = kinds.add_parser("evtx", help="one large EVTX file")
    evtx.add_argument("out", type=Path)
    evtx.add_argument("--records", type=int, default=100_000)
    evtx.add_argument("--corpus", type=Path, default=shared / "evtx-attack-samples")
    for kind in (jsonl, evtx):
        kind.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    if args.kind == "jsonl":
        size = write_jsonl(
            args.out, args.corpus, args.events, seed=args.seed, distinct=args.distinct, commands=args.commands
        )
        print(f"{args.events} events, {size / 1e6:.1f} MB")
    else:
        print(f"{write_evtx(args.out, args.corpus, args.records, seed=args.seed)} records")


if __name__ == "__main__":
    main()
