from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tocsin.collect.literals import Literals

LETTERS = ("ab", "aAbB", 'k: {}",', "abcxyz/&", "é€ſ a", "\0a", "0123456789abcdef")
LENGTHS = (1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 1000, 4096)


@st.composite
def sought(draw: st.DrawFn) -> tuple[list[bytes], bytes]:
    """Texts of few letters, some within others, and a block with long runs in which some stand."""
    letters = draw(st.sampled_from(LETTERS))
    drawn = draw(st.lists(st.text(letters, min_size=1, max_size=20), min_size=1, max_size=40))
    for word in drawn[: draw(st.integers(0, 8))]:
        drawn += [word[: len(word) // 2] or word, word[len(word) // 2 :], word + draw(st.sampled_from(drawn)), word * 2]
    texts = list(dict.fromkeys(word.encode() for word in drawn))
    runs = st.builds(bytes.__mul__, st.sampled_from([b" ", b"0", b"\xff", texts[0][:1]]), st.sampled_from(LENGTHS))
    pieces = st.one_of(
        st.sampled_from(texts), runs, st.text(letters, max_size=9).map(str.encode), st.binary(max_size=4)
    )
    return texts, b"".join(draw(st.lists(pieces, max_size=12)))


@settings(deadline=None)
@given(sought())
@example(([b"a\0"], b"xa\0"))
@example(([b"ab\0c"], b"ab ab\0c"))
def test_every_text_is_found_where_it_stands(drawn: tuple[list[bytes], bytes]) -> None:
    texts, block = drawn
    numbers, places = Literals(texts).find(block)
    wanted = {(n, at) for n, text in enumerate(texts) for at in range(len(block)) if block.startswith(text, at)}
    found = list(zip(numbers.tolist(), places.tolist(), strict=True))
    assert len(found) == len(set(found))
    assert set(found) == wanted


@settings(deadline=None)
@given(sought(), st.integers(0, 40))
def test_texts_that_are_only_seen_are_told_once(drawn: tuple[list[bytes], bytes], told: int) -> None:
    texts, block = drawn
    numbers, _ = Literals(texts[:told], texts[told:]).find(block)
    assert set(numbers.tolist()) == {number for number, text in enumerate(texts) if text in block}
    seen = [number for number in numbers.tolist() if number >= told]
    assert len(seen) == len(set(seen))
