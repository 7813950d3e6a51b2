from __future__ import annotations

import hashlib
import os
import random
import struct
import time
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detect.compiled import compiled, compiled_pack, text_of
from tocsin.detect import cache
from tocsin.model.rule import RuleSet, RuleText

RULES = text_of("s: {A|re: 'x+', B: 1, C: null}\nk: [word]\nf: {D|contains: y}\ncondition: (s or k) and not f")


@pytest.fixture
def ruleset() -> RuleSet:
    return compiled(RULES, "title: broken")


def file_of(folder: Path, ruleset: RuleSet) -> Path:
    return folder / f"{ruleset.digest}.rules"


def test_what_is_kept_is_what_comes_back(tmp_path: Path, ruleset: RuleSet) -> None:
    folder = tmp_path / "a" / "b"
    assert cache.load(folder, ruleset.digest) is None
    cache.save(folder, ruleset)
    assert cache.load(folder, ruleset.digest) == ruleset
    assert ruleset.problems
    assert ruleset.regex_database
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600]
    cache.save(folder, ruleset)
    assert len(list(folder.iterdir())) == 1


def test_the_public_pack_loads_at_once(tmp_path: Path, shared: Path) -> None:
    ruleset = compiled_pack(shared)
    cache.save(tmp_path, ruleset)
    spent = []
    for _ in range(3):
        began = time.process_time()
        loaded = cache.load(tmp_path, ruleset.digest)
        spent.append(time.process_time() - began)
        assert loaded == ruleset
    assert min(spent) < 0.2


def damaged(content: bytes) -> dict[str, bytes]:
    header, body = content[:49], content[49:]
    other = msgspec.msgpack.encode({"rules": 5})
    old = msgspec.msgpack.encode({"rules": [], "patterns": [], "variants": [], "digest": "0" * 64})

    def sealed(inside: bytes, engine: int = cache.ENGINE) -> bytes:
        return header[:13] + struct.pack(">I", engine) + hashlib.sha256(inside).digest() + inside

    return {
        "empty": b"",
        "header": header,
        "cut": content[: len(content) // 2],
        "last": content[:-1],
        "longer": content + b"\0",
        "magic": b"X" + content[1:],
        "newer": sealed(body, cache.ENGINE + 1),
        "shape": sealed(other),
        "digest": sealed(old),
        "nested": sealed(b"\x91" * 100_000),
        "text": b"not a cache at all" * 10,
        "pickle": b"\x80\x04\x95" + content,
    }


def test_what_does_not_fit_is_none(tmp_path: Path, ruleset: RuleSet) -> None:
    cache.save(tmp_path, ruleset)
    path = file_of(tmp_path, ruleset)
    content = path.read_bytes()
    for name, wrong in damaged(content).items():
        path.write_bytes(wrong)
        assert cache.load(tmp_path, ruleset.digest) is None, name
    path.write_bytes(content)
    assert cache.load(tmp_path, ruleset.digest) == ruleset


def test_any_bit_that_flips_is_seen(tmp_path: Path, ruleset: RuleSet) -> None:
    cache.save(tmp_path, ruleset)
    path = file_of(tmp_path, ruleset)
    content = path.read_bytes()
    chance = random.Random(7)
    for _ in range(300):
        flipped = bytearray(content)
        flipped[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        assert cache.load(tmp_path, ruleset.digest) is None


def test_files_of_others_are_not_trusted(tmp_path: Path, ruleset: RuleSet) -> None:
    cache.save(tmp_path, ruleset)
    path = file_of(tmp_path, ruleset)
    path.chmod(0o666)
    assert cache.load(tmp_path, ruleset.digest) is None
    path.chmod(0o600)
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    assert cache.load(tmp_path, ruleset.digest) is None
    path.unlink()
    path.mkdir()
    assert cache.load(tmp_path, ruleset.digest) is None


@pytest.mark.parametrize("digest", ["", "x", "../" + "0" * 61, "0" * 63, "A" * 64, "0" * 64 + "\n"])
def test_a_digest_is_no_path(tmp_path: Path, digest: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        cache.load(tmp_path, digest)


def kept(folder: Path, number: int, age_s: float) -> Path:
    digest = f"{number:064x}"
    cache.save(folder, RuleSet(rules=(), patterns=(), variants=(), digest=digest))
    path = folder / f"{digest}.rules"
    os.utime(path, (time.time() - age_s, time.time() - age_s))
    return path


def test_the_oldest_go_first(tmp_path: Path) -> None:
    paths = [kept(tmp_path, number, 1000 - number) for number in range(cache.MOST_FILES)]
    assert all(path.exists() for path in paths)
    (tmp_path / "notes.txt").write_text("somebody's")
    assert cache.load(tmp_path, f"{0:064x}") is not None  # used, so no longer the oldest
    newest = kept(tmp_path, 99, 0)
    assert [path.exists() for path in paths] == [True, False, *[True] * (cache.MOST_FILES - 2)]
    assert newest.exists()
    assert (tmp_path / "notes.txt").exists()


def test_what_a_killed_run_left_is_cleared(tmp_path: Path) -> None:
    old, young = tmp_path / ".old.rules", tmp_path / ".young.rules"
    for path, age_s in ((old, 7200.0), (young, 60.0)):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age_s, time.time() - age_s))
    kept(tmp_path, 1, 0)
    assert (old.exists(), young.exists()) == (False, True)


def test_a_failed_write_leaves_nothing(tmp_path: Path, ruleset: RuleSet, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no room"):
        cache.save(tmp_path, ruleset)
    assert list(tmp_path.iterdir()) == []


# --------------------------------------------------------------------------------- digests

texts = st.builds(
    RuleText, path=st.sampled_from(["a", "b", "ab", ""]), content=st.sampled_from([b"", b"a", b"b", b"ab"])
)
lists = st.dictionaries(
    st.sampled_from(["a", "b", "ab"]), st.lists(st.sampled_from(["", "a", "b"]), max_size=2), max_size=2
)
inputs = st.tuples(st.lists(texts, max_size=3), lists)


@given(inputs, inputs)
def test_a_digest_tells_everything_apart(one: Any, other: Any) -> None:
    assert (cache.digest_of(*one) == cache.digest_of(*other)) == (one == other)


def test_a_digest_does_not_depend_on_the_order_of_lists() -> None:
    assert cache.digest_of([], {"a": ["1"], "b": []}) == cache.digest_of([], {"b": [], "a": ("1",)})
    assert cache.digest_of([], MappingProxyType({})) == cache.digest_of((), {})


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        (cache, "ENGINE", cache.ENGINE + 1),
        (cache, "_processor", lambda: "another"),
        (cache.platform, "machine", lambda: "another"),
        (cache.importlib.metadata, "version", lambda _: "another"),
    ],
)
def test_a_digest_depends_on_what_compiles(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, value: Any) -> None:
    before = cache.digest_of([], {})
    monkeypatch.setattr(cache, "_version", cache._version.__wrapped__)  # what is remembered is that of what runs here
    monkeypatch.setattr(where, name, value)
    assert cache.digest_of([], {}) != before


def test_compiled_rules_carry_their_digest() -> None:
    text = RuleText(path="0.yml", content=RULES.encode())
    assert compiled(RULES).digest == cache.digest_of([text], {})
    assert compiled(RULES, expansions={"a": ["b"]}).digest == cache.digest_of([text], {"a": ["b"]})
