"""The bounded matcher gives what a regular expression gives, and needs no longer for hostile templates and names."""

import re
import time

from hypothesis import given
from hypothesis import strategies as st

from ossicle.corpus.naming.bounded_pattern import BoundedPattern, Literal, Number, OneOf, Piece, Run
from ossicle.corpus.naming.name_template import Template

NUMBER = r"[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
TEXTS = st.text("ab_/1.e", max_size=12)
LITERALS = st.text("ab_/1.", min_size=1, max_size=2)


@st.composite
def pieces(draw: st.DrawFn) -> list[Piece]:
    out: list[Piece] = []
    for place in range(draw(st.integers(1, 6))):
        name = f"f{place}"
        kind = draw(st.sampled_from(["literal", "run", "star", "one of", "number"]))
        if kind == "literal":
            out.append(Literal(draw(LITERALS)))
        elif kind == "star":
            out.append(Run("", "/", 0))
        elif kind == "run":
            excluded = draw(st.sampled_from(["/", "/_"]))
            out.append(Run(name, excluded, draw(st.sampled_from([0, 1])), draw(st.booleans())))
        elif kind == "one of":
            out.append(OneOf(name, tuple(draw(st.lists(LITERALS, min_size=1, max_size=3)))))
        else:
            out.append(Number(name))
    return out


def slow(of: list[Piece]) -> re.Pattern[str]:
    """The same as a regular expression."""
    parts = []
    for one in of:
        if isinstance(one, Literal):
            parts.append(re.escape(one.text))
            continue
        if isinstance(one, Run):
            inside = f"[^{one.excluded}]{'+' if one.least else '*'}{'' if one.greedy else '?'}"
        elif isinstance(one, OneOf):
            inside = "|".join(map(re.escape, one.values))
        else:
            inside = NUMBER
        parts.append(f"(?P<{one.name}>{inside})" if one.name else f"(?:{inside})")
    return re.compile("".join(parts), re.DOTALL)


@given(pieces(), TEXTS)
def test_it_matches_what_a_regular_expression_matches(of: list[Piece], text: str) -> None:
    match = slow(of).fullmatch(text)
    assert BoundedPattern(of).match(text) == (None if match is None else match.groupdict())


@given(pieces(), st.data())
def test_it_finds_the_same_parts_in_texts_that_match(of: list[Piece], data: st.DataObject) -> None:
    made = [
        one.text if isinstance(one, Literal)
        else data.draw(st.sampled_from(one.values)) if isinstance(one, OneOf)
        else data.draw(st.sampled_from(["1", "10.5", "1e1", "1.1e-11"])) if isinstance(one, Number)
        else data.draw(st.text("ab1.", min_size=one.least, max_size=4))
        for one in of
    ]  # fmt: skip
    text = "".join(made)
    match = slow(of).fullmatch(text)
    assert match is not None
    assert BoundedPattern(of).match(text) == match.groupdict()


def test_many_wildcards_need_no_longer() -> None:
    began = time.process_time()
    for template in ("*a" * 40 + "b", "{x:*}a" + "*a" * 40 + "b", "".join(f"{{n{k}:#}}." for k in range(40)) + "x"):
        name = ("1." if "#" in template else "a") * 120
        assert Template(template).parse(name) is None
    assert Template("*a" * 40 + "{x:*}").parse("a" * 255) == {"x": "a" * 215}
    assert time.process_time() - began < 2.0
