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


def test_no_line_is_broken_within_a_number() -> None:
    assert words.count(45520) == "45\N{NO-BREAK SPACE}520"
    assert words.significant(45520.0) == "45\N{NO-BREAK SPACE}500"
