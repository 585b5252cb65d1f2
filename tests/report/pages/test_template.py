"""What a browser may do with a page: run the page's own script, and nothing else."""

import base64
import hashlib
import re
from html import unescape

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
