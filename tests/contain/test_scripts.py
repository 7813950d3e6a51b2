"""Scripts for PowerShell, which is not here: parsed, marked as not executed, and the same whatever the values are."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_powershell

FOLDER = Path(str(files("tocsin.contain.enforcers.scripts")))
SCRIPTS = sorted(FOLDER.glob("*.ps1"))
# What would run a text as a program.
RUNS_TEXT = ("invoke-expression", "iex", "start-process", "invoke-command", "add-type", "invoke-webrequest")


def _nodes(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    yield node
    for child in node.children:
        yield from _nodes(child)


def _parsed(text: bytes) -> tree_sitter.Node:
    language = tree_sitter.Language(tree_sitter_powershell.language())
    return tree_sitter.Parser(language).parse(text).root_node


def test_there_is_one_for_each_enforcer_that_needs_it() -> None:
    assert [path.stem for path in SCRIPTS] == ["active_directory", "entra", "windows_firewall"]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_it_can_be_parsed_and_says_that_it_was_not_executed(path: Path) -> None:
    text = path.read_bytes()
    root = _parsed(text)
    faults = [node.start_point for node in _nodes(root) if node.type == "ERROR" or node.is_missing]
    assert faults == []
    assert text.decode().startswith("# Not executed here")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_it_runs_no_text_and_does_nothing_unless_it_is_told(path: Path) -> None:
    called = {
        (node.text or b"").decode().lower()
        for node in _nodes(_parsed(path.read_bytes()))
        if node.type == "command_name"
    }
    assert not called & set(RUNS_TEXT)
    text = path.read_text(encoding="utf-8")
    assert "[switch]$Apply" in text
    # Each call that changes something goes through -WhatIf, or through the function that asks $Apply first.
    changing = ("New-NetFirewallRule", "Remove-NetFirewallRule", "Enable-ADAccount", "Disable-ADAccount", "Set-AD")
    joined = text.replace("`\n", " ")
    for line in joined.splitlines():
        if any(word in line for word in changing):
            assert "-WhatIf:(-not $Apply)" in line, line


def test_the_parser_would_tell() -> None:
    assert _parsed(b"function { ( }").has_error
