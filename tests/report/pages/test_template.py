"""What a browser may do with a page: run the page's own script, and nothing else."""

import base64
import hashlib
import re
from html import unescape

from ossicle.report import words
from ossicle.report.pages import augment_page, leaderboard_page

BOARD = {"rows": [], "figures": {}, "over_seeds": []}
EMPTY = augment_page.AugmentPage("<b>t</b>", {}, [], [], [], 8000, 0.02)


def policy(page: str) -> dict[str, str]:
    (result,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    return dict(part.strip().split(" ", 1) for part in unescape(result).split(";"))


def test_the_only_script_that_may_run_is_the_one_that_is_there() -> None:
    page = augment_page.render(EMPTY)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy(page)["script-src"] == f"'sha256-{digest}'"
    assert policy(page)["default-src"] == "'none'"
    assert "<b>t</b>" not in page


def test_a_page_without_a_script_may_run_none() -> None:
    page = leaderboard_page.render("<script>alert(1)</script>", BOARD)
    assert "<script" not in page
    assert policy(page)["script-src"] == "'none'"
    assert policy(page)["default-src"] == "'none'"


def test_paths_and_messages_in_boxes_that_scroll_keep_a_width_that_can_be_read() -> None:
    page = leaderboard_page.render("t", BOARD)
    assert re.search(r"^\.scroll \.path \{ min-width: 10em; \}$", page, re.MULTILINE)
    assert re.search(r"^\.words \{ min-width: 12em; \}$", page, re.MULTILINE)


def test_long_names_in_cells_are_wrapped_and_short_ones_take_no_more_than_they_need() -> None:
    page = leaderboard_page.render("t", BOARD)
    assert re.search(r"^td\.label \{ overflow-wrap: break-word; max-width: 20em; \}$", page, re.MULTILINE)
    assert page.count('th[scope="row"], td.label { max-width:') == 2


def test_no_line_is_broken_within_a_number() -> None:
    assert words.count(45520) == "45\N{NO-BREAK SPACE}520"
    assert words.significant(45520.0) == "45\N{NO-BREAK SPACE}500"


def test_the_gaps_of_large_numbers_are_blanks_on_a_page() -> None:
    page = leaderboard_page.render(f"{words.counted(1440, 'call')}", BOARD)
    assert "1\N{NO-BREAK SPACE}440 calls" in page
    assert "xa0" not in page


def colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", css))


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_texts_and_the_sign_of_the_play_button_stand_out_in_light_and_dark() -> None:
    """WCAG 2.2, success criterion 1.4.3: a contrast of 4.5 at least."""
    css = leaderboard_page.render("t", BOARD)
    light_css, dark_css = css.split("prefers-color-scheme: dark", 1)
    light = colours(light_css)
    button = re.search(r"\.card button \{[^}]*background: var\(--(\w+)\); color: var\(--(\w+)\)", css)
    assert button is not None
    pairs = [button.groups(), ("ink", "paper"), ("soft", "paper"), ("soft", "tint"), ("blue", "paper")]
    pairs += [("on-tag", "tag"), ("on-warn", "warn"), ("on-bad", "bad"), ("on-note", "note"), ("ink", "notice")]
    for theme in (light, light | colours(dark_css)):
        for one, other in pairs:
            assert contrast(theme[one], theme[other]) >= 4.5, (one, other)


def test_nothing_that_scrolls_on_a_screen_is_cut_on_paper() -> None:
    page = leaderboard_page.render("t", BOARD)
    paper = page[page.index("@media print") : page.index("</style>")]
    assert re.search(r"\.scroll, figure details \{ overflow: visible;", paper)
    assert re.search(r"\.scroll > img, img\.wide, \.stage\.long \{ min-width: 0; max-width: 100%; \}", paper)


def test_who_uses_the_keyboard_sees_where_they_are() -> None:
    assert ":focus-visible { outline: 2px solid" in leaderboard_page.render("t", BOARD)
