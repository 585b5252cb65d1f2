"""Names that are orders to a terminal, or that no XML may hold, are spelt out on pages and in their figures."""

import re
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.bundle.card import escaped
from ossicle.core.text.controls import first_control
from ossicle.report.data import PrCurve
from ossicle.report.figures.rates import pr_figure
from ossicle.report.figures.style import data_address
from ossicle.report.pages import leaderboard_page

ORDERS = ("\x1b[2J", "a\u202eb", "c\x07", "d\x9b2J", "e\u2028f", "g\x00h")
BOARD = {"rows": [], "figures": {}, "over_seeds": []}


@pytest.mark.parametrize("name", ORDERS)
def test_a_page_spells_out_what_gives_orders(name: str) -> None:
    page = leaderboard_page.render(f"board {name}", BOARD)
    assert first_control(page.replace("\n", "")) is None
    assert ascii(name)[1:-1] in page


@given(st.text(st.characters(categories=["L", "C", "Z", "P"]), min_size=1))
def test_a_card_has_one_line_without_orders_for_any_text(text: str) -> None:
    line = escaped(text)
    assert line.isprintable()
    assert not re.search(r"(?<!\\)[*_`\[\]|]|<|>", line)


@settings(deadline=None, max_examples=8)
@given(st.lists(st.sampled_from([*ORDERS, "Zilpzalp", "_x", "$a$", "ü"]), min_size=1, max_size=3, unique=True))
def test_a_figure_with_any_names_is_an_image(names: list[str]) -> None:
    address = data_address(pr_figure([PrCurve(name, [1.0, 0.5], [0.1, 0.4], [0.9, 0.2], 0.3) for name in names]))
    text = unquote(address.removeprefix("data:image/svg+xml,"))
    assert ElementTree.fromstring(text).tag.endswith("svg")
    assert first_control(text.replace("\n", "").replace("\u200b", "")) is None
