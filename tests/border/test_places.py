"""The file of places: what is read, and what is refused with a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tocsin.border.places import read_places
from tocsin.errors import SettingsError
from tocsin.model.action import Place


def _file(folder: Path, text: str) -> Path:
    path = folder / "enforcers.toml"
    path.write_text(text)
    return path


def test_places_and_what_must_stay(tmp_path: Path) -> None:
    places, never = read_places(
        _file(
            tmp_path,
            '[[place]]\nenforcer = "nftables"\nrun = ["ssh", "router"]\n'
            '[[place]]\nenforcer = "unbound"\nzone_file = "/z"\nport = 5300\n'
            '[never.addresses]\n"192.0.2.0/24" = "ours"\n[never.hosts]\nanalyst7 = "the analyst\'s"\n'
            '[agreed]\n"our own lists" = "made here"\n',
        )
    )
    assert places == (
        Place(enforcer="nftables", run=("ssh", "router")),
        Place(enforcer="unbound", zone_file="/z", port=5300),
    )
    assert never == {
        "addresses": (("192.0.2.0/24", "ours"),),
        "domains": (),
        "hosts": (("analyst7", "the analyst's"),),
        "agreed": (("our own lists", "made here"),),
    }


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[[place]]\n", "enforcer"),
        ('[[place]]\nenforcer = "nftables"\nrum = ["x"]\n', "'rum'"),
        ('[[place]]\nenforcer = "bind"\nzone_file = "zone"\n', "whole path"),
        ('[[place]]\nenforcer = "webhook"\nurl = "http://x.example/"\n', "https"),
        ('[[place]]\nenforcer = "webhook"\nurl = "https://me:secret@x.example/"\n', "more than host"),
        ('[[place]]\nenforcer = "webhook"\nurl = "https://x.example/?token=secret"\n', "more than host"),
        ('[[place]]\nenforcer = "webhook"\nurl = "https://x.example/"\ntoken_file = "t"\n', "whole path"),
        ('[never.addresses]\nours = "x"\n', "no address"),
        ('[never.address]\n"192.0.2.1" = "x"\n', "'address'"),
        ("[nevr]\n", "nevr"),
        ("]", "line 1"),
    ],
)
def test_a_slip_is_told(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        read_places(_file(tmp_path, text))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_places(tmp_path / "none")
