"""Indicators and events in, what looking for a hundred thousand of them adds to a run out.

    python bench/indicators.py [--events 1000000] [--indicators 100000] [--known-good] [--no-rules] [--repeat 3]

Events are replicas of the corpora, as `evidence.py` makes them; a share of them are connections and look-ups whose
addresses and names are nearly all different, which is the worst that can happen to a look at distinct values.
Indicators are random. Both sides run in turns, with one worker: rules alone, and rules with indicators, their reading
included.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import evidence
import timing

from tocsin import pipeline
from tocsin.learn import packs
from tocsin.model.rule import RuleSet
from tocsin.observe import known_good

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "corpus"
_WORDS = ("alpha", "beam", "cedar", "delta", "ember", "flint", "grove", "haven", "iris", "jade")
_TLDS = ("com", "net", "org", "info", "example", "xyz", "de", "io")


def indicators(rng: Random, count: int) -> Iterator[str]:
    """Values as feeds have them: addresses, domains, URLs, hashes, addresses of mail, names of files."""
    for number in range(count):
        host = f"{rng.choice(_WORDS)}{rng.randrange(10**7)}.{rng.choice(_TLDS)}"
        match number % 10:
            case 0 | 1 | 2:
                yield ".".join(str(rng.randrange(1, 255)) for _ in range(4))
            case 3 | 4 | 5:
                yield host
            case 6:
                yield f"http://{host}/{rng.randrange(10**6)}.php"
            case 7:
                yield f"{rng.getrandbits(256):064x}"
            case 8:
                yield f"{rng.getrandbits(128):032x}"
            case _:
                yield f"{rng.choice(_WORDS)}@{host}" if rng.random() < 0.5 else f"{rng.choice(_WORDS)}{number}.exe"


def with_networks(lines: Iterator[bytes], rng: Random, share: float) -> Iterator[bytes]:
    """A share of the events replaced by connections and look-ups whose addresses and names are nearly all different."""
    for number, line in enumerate(lines):
        if rng.random() >= share:
            yield line
            continue
        second = number % 86_400
        event: dict[str, object] = {
            "Channel": "Microsoft-Windows-Sysmon/Operational",
            "EventTime": f"2020-05-01 {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}",
            "Computer": f"host{rng.randrange(50)}.corp.example",
            "Hostname": f"host{rng.randrange(50)}.corp.example",
            "Image": r"C:\Windows\System32\svchost.exe",
        }
        if rng.random() < 0.5:
            event |= {
                "EventID": 3,
                "SourceIp": f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}",
                "DestinationIp": ".".join(str(rng.randrange(1, 255)) for _ in range(4)),
                "DestinationPort": str(rng.choice((80, 443, 445))),
            }
        else:
            event |= {"EventID": 22, "QueryName": f"{rng.choice(_WORDS)}{rng.randrange(10**6)}.{rng.choice(_TLDS)}"}
        yield json.dumps(event).encode()


def used_s() -> float:
    """Processor time of this process and of the workers that it waited for."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)


def run(log: Path, rules: RuleSet, names: list[str], lists: Path | None) -> float:
    """Processor seconds of a run, with the reading of the indicators."""
    began = used_s()
    wanted = pipeline.with_indicators(names, rules, known_good=lists) if names else pipeline.Wanted(rules=rules)
    prepared = used_s() - began
    with pipeline.detect([log], wanted.rules, indicators=wanted.indicators, jobs=1) as done:
        count = sum(1 for _ in done.findings)
    took = used_s() - began
    what = f"with indicators (reading them {prepared:.2f} s)" if names else "without indicators"
    print(f"  {what}: {took:.2f} s of a processor, {count:,} findings", flush=True)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description="What indicators add to a run.")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--indicators", type=int, default=100_000)
    parser.add_argument("--networks", type=float, default=0.2, help="share of connections and look-ups")
    parser.add_argument("--no-rules", action="store_true", help="indicators alone, beside no rules at all")
    parser.add_argument("--known-good", action="store_true", help="compare them with the installed lists as well")
    parser.add_argument("--repeat", type=int, default=3)
    args = parser.parse_args()
    rng = Random(1)
    with tempfile.TemporaryDirectory() as folder:
        log, listed = Path(folder) / "events.json", Path(folder) / "indicators.txt"
        logs = evidence.windows_logs(SHARED / "security-datasets")
        with log.open("wb", buffering=1 << 20) as file:
            for line in with_networks(evidence.windows_events(logs, args.events), rng, args.networks):
                file.write(line + b"\n")
        listed.write_text("\n".join(indicators(rng, args.indicators)), encoding="utf-8")
        print(f"{args.events:,} events, {log.stat().st_size / 1e6:,.0f} MB, {args.indicators:,} indicators")
        none = RuleSet(rules=(), patterns=(), variants=())
        rules = none if args.no_rules else pipeline.compile_rules(packs.resolve([str(SHARED / "sigma-rules.zip")]))
        lists = known_good.installed() if args.known_good else None
        without, beside = timing.alternate(
            args.repeat, lambda: run(log, rules, [], None), lambda: run(log, rules, [str(listed)], lists)
        )
        shares = sorted(after / before for before, after in zip(without, beside, strict=True))
        print(f"a run takes {100 * (shares[len(shares) // 2] - 1):+.1f} % (median of {len(shares)} pairs)")


if __name__ == "__main__":
    main()
