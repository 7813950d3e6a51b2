"""Conditions, traced or not, in, trees for the terminal out: `[x]` held, `[ ]` did not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text
from rich.tree import Tree

from tocsin.detect.trace import Look, Step
from tocsin.output.screen import cut, shown

_MOST_TOLD: Final = 6  # of the texts that a field was compared with
_LONGEST_VALUE: Final = 240
_LONGEST_ASKED: Final = 160
_INLINE: Final = 90  # texts that fit in as many characters stand on one line
_FAINT: Final = "bright_black"
_WORDS: Final = {
    ("any of", False): "any of",
    ("any of", True): "none of",
    ("all of", False): "all of",
    ("all of", True): "not all of",
}


def outlined(step: Step) -> Tree:
    """A condition of no event, in full."""
    return _Drawing(marks=False).whole(step)


def traced(step: Step) -> Tree:
    """A condition of one event. Where it did not hold, `<-` points to what stood in its way."""
    return _Drawing(marks=True).whole(step)


def sentence(step: Step) -> str:
    """A short condition on one line; '' where nothing is asked."""
    if not step.parts:
        return f"{step.label}: {step.asked}" if step.asked else ""
    if step.label == "not":
        return f"not ({sentence(step.parts[0])})"
    word = " or " if step.label == "any of" else " and "
    if _alike(step.parts):
        return f"{step.parts[0].label}: {word.join(part.asked for part in step.parts)}"
    return word.join(sentence(part) for part in step.parts)


def headline(step: Step) -> str:
    """A condition of any size on one line: what it is about, without what it lists."""
    negated = step.label == "not"
    inner = step.parts[0] if negated else step
    if not inner.parts:
        return f"{'not ' if negated else ''}{shown(inner.label)}: {_asked(inner.asked)}"
    word = _WORDS.get((inner.label, negated), "not")
    if _alike(inner.parts):
        return f"{shown(inner.parts[0].label)} {word} {len(inner.parts)}"
    about = "; ".join(headline(part) for part in _gathered(inner))
    return cut(f"{word} ({about})", _LONGEST_ASKED)


def _alike(parts: Sequence[Step]) -> bool:
    return len({part.label for part in parts}) == 1 and not any(part.parts for part in parts)


def _is_simple(step: Step) -> bool:
    return not step.parts or (step.label != "not" and _alike(step.parts))


class _Drawing:
    """One tree while it is drawn. A value that was told in full is not told again."""

    def __init__(self, *, marks: bool) -> None:
        self._marks = marks
        self._told: set[str] = set()

    def whole(self, step: Step) -> Tree:
        tree = Tree("", guide_style=_FAINT, hide_root=True)
        self._add(tree, step, wanted=True, guilty=self._marks and not step.held)
        return tree

    def _add(self, tree: Tree, step: Step, *, wanted: bool, guilty: bool, negated: bool = False) -> None:
        """Draw a step.

        Args:
            wanted: what the step, with its negation, should be for the rule to fire.
            guilty: whether it stands in the way of that.
            negated: whether it is drawn together with the `not` around it.
        """
        if step.label == "not":
            self._add(tree, step.parts[0], wanted=wanted, guilty=guilty, negated=not negated)
        elif not step.parts:
            self._leaf(tree, step, wanted=wanted, guilty=guilty, negated=negated)
        elif _alike(step.parts):
            self._group(tree, step, wanted=wanted, guilty=guilty, negated=negated)
        else:
            self._branch(tree, step, wanted=wanted, guilty=guilty, negated=negated)

    def _branch(self, tree: Tree, step: Step, *, wanted: bool, guilty: bool, negated: bool) -> None:
        inner = wanted is not negated  # what its parts should be
        # Of parts that must all hold some are in the way; of parts of which one is enough all of them together,
        # but where these are long themselves, it is better to see what each of them lacks.
        deep = any(not _is_simple(part) for part in step.parts)
        some = guilty and (deep or (step.label == "all of") is inner)
        held = step.held is not negated
        word = _WORDS[step.label, negated]
        parts = list(_gathered(step))
        words = Text(f"{word} these {len(parts)}")
        line = self._line(words, held, wanted=wanted, guilty=guilty and not some)
        branch = tree.add(line)
        for part in parts:
            self._add(branch, part, wanted=inner, guilty=some and part.held is not inner)

    def _leaf(self, tree: Tree, step: Step, *, wanted: bool, guilty: bool, negated: bool) -> None:
        words = Text.assemble(("not " if negated else ""), (f"{shown(step.label)}: ", "bold"), _asked(step.asked))
        leaf = tree.add(self._line(words, step.held is not negated, wanted=wanted, guilty=guilty))
        if step.gave_up:
            leaf.add(Text("its regular expression took too long on this value and was not tried in full", "yellow"))
        for line in self._values([step]):
            leaf.add(line)

    def _group(self, tree: Tree, step: Step, *, wanted: bool, guilty: bool, negated: bool) -> None:
        """One field compared with many texts."""
        word = _WORDS[step.label, negated]
        words = Text.assemble((shown(step.parts[0].label), "bold"), f" {word} {len(step.parts)}")
        group = tree.add(self._line(words, step.held is not negated, wanted=wanted, guilty=guilty))
        if not self._marks:
            texts = [_asked(part.asked) for part in step.parts]
            if sum(len(text) + 2 for text in texts) <= _INLINE:
                group.add(Text("  ").join(texts))
            else:
                for text in texts:
                    group.add(text)
            return
        held = [part for part in step.parts if part.held]
        missed = [part for part in step.parts if not part.held]
        inner = wanted is not negated
        for line in self._values(held or step.parts[:1]):
            group.add(line)
        for part in held[:_MOST_TOLD]:
            group.add(Text.assemble(("[x] ", "green" if inner else "bold red"), _asked(part.asked)))
        if len(held) > _MOST_TOLD:
            group.add(Text(f"[x] and {len(held) - _MOST_TOLD:,} more", _FAINT))
        if missed and (step.label == "all of" or not held):
            texts = [_asked(part.asked) for part in missed[:_MOST_TOLD]]
            more = f"  and {len(missed) - _MOST_TOLD:,} more" if len(missed) > _MOST_TOLD else ""
            group.add(Text.assemble(("[ ] ", "red" if guilty else _FAINT), Text("  ").join(texts), (more, _FAINT)))

    def _line(self, words: Text, held: bool, *, wanted: bool, guilty: bool) -> Text:
        if not self._marks:
            return words
        style = "bold green" if held is wanted else "bold red" if guilty else _FAINT
        return Text.assemble((f"[{'x' if held else ' '}] ", style), words, (" <-" if guilty else "", "bold red"))

    def _values(self, steps: Sequence[Step]) -> Iterator[Text]:
        """What the event has there: around the text that was asked for, where the value is long."""
        for step in steps[:_MOST_TOLD]:
            for look in step.looks:
                if look.field in self._told:
                    continue
                yield _value(look, step.asked if step.held else "")
                if len(look.text) <= _LONGEST_VALUE:
                    self._told.add(look.field)


def _gathered(step: Step) -> Iterator[Step]:
    """The parts, those that compare one field in one way with many texts as a step of their own."""
    leaves: dict[str, list[Step]] = {}
    for part in step.parts:
        if not part.parts:
            leaves.setdefault(part.label, []).append(part)
    for part in step.parts:
        if part.parts:
            yield part
            continue
        alike = leaves.pop(part.label, [])
        if len(alike) == 1:
            yield part
        elif alike:
            together = all if step.label == "all of" else any
            yield Step(label=step.label, held=together(one.held for one in alike), parts=tuple(alike))


def _asked(text: str) -> Text:
    """What a rule asks for; in quotes where its ends could not be seen."""
    told = shown(text, _LONGEST_ASKED)
    return Text(f"'{told}'" if told != told.strip() or not told else told)


def _value(look: Look, asked: str) -> Text:
    name = shown(look.field, 60)
    if look.state:
        return Text(f"{name} is {look.state}", "italic yellow" if look.state == "absent" else "italic")
    if not look.text:
        return Text(f"{name} is there and empty", "italic")
    return Text.assemble((f"{name} = ", _FAINT), (_around(look.text, asked), "cyan"))


def _around(text: str, asked: str) -> str:
    """A value, or of a long one the stretch around what was found in it."""
    at = text.lower().find(asked.lower()) if asked else -1
    if len(text) <= _LONGEST_VALUE or at < 0:
        return shown(cut(text, _LONGEST_VALUE), 4 * _LONGEST_VALUE)
    start = max(0, at + len(asked) // 2 - _LONGEST_VALUE // 2)
    stop = min(len(text), start + _LONGEST_VALUE)
    before, after = "…" if start else "", "…" if stop < len(text) else ""
    return f"{before}{shown(text[start:stop], 4 * _LONGEST_VALUE)}{after}"
