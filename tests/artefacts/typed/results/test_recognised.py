"""Pages, figures and tables of Ossicle are known by their content; other files of these names are the user's."""

import os
from pathlib import Path

import pytest

from ossicle.artefacts.typed.results.published import ENSEMBLE, METRICS, MOTIFS, PAGE
from ossicle.artefacts.typed.results.recognised import PAGE_TITLE, is_own_file, refuse_other_file
from ossicle.artefacts.typed.units.motifs import MotifsFolder
from ossicle.core.errors import UsageError
from ossicle.report.pages.template import render_page

OWN = {
    METRICS: '{"in_sample": {}, "protocol": {}}',
    ENSEMBLE: '{"board": {}, "members": [], "rule": "mean"}',
    MOTIFS: "\t".join(MotifsFolder.SCHEMA) + "\n",
    PAGE: f"<title>tapes{PAGE_TITLE}",
    "board.html": f"<title>tapes{PAGE_TITLE}",
}
OTHERS = {
    METRICS: (
        '{"accuracy": 0.9}',
        '{"protocol": {"shots": 5}}',
        '{"in_sample": {}}',
        '{"in_sample": 0.9, "protocol": "5-fold"}',
        "[]",
        "{",
        "[" * 10_000,
    ),
    ENSEMBLE: ('{"members": []}', '{"board": "green"}'),
    MOTIFS: ("motif\tunits\n", "token\tmy notes\n", ""),
    PAGE: ("<title>My report</title>", ""),
}


@pytest.mark.parametrize("name", OWN)
def test_results_are_known_by_their_content(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    refuse_other_file(path, "move it")
    path.write_text(OWN[name], encoding="utf-8")
    assert is_own_file(path)
    refuse_other_file(path, "move it")


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in OTHERS.items() for text in texts])
def test_other_files_of_their_names_are_the_users(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert not is_own_file(path)
    with pytest.raises(UsageError, match=f"{name} would be replaced, and is a file that Ossicle did not write; move"):
        refuse_other_file(path, "move it")


def test_folders_are_refused_and_links_are_left_to_the_rule_for_links(tmp_path: Path) -> None:
    (tmp_path / PAGE).mkdir()
    with pytest.raises(UsageError, match=f"{PAGE} would be replaced, and is a folder; move it"):
        refuse_other_file(tmp_path / PAGE, "move it")
    os.symlink(tmp_path / PAGE, tmp_path / METRICS)
    assert not is_own_file(tmp_path / METRICS)
    refuse_other_file(tmp_path / METRICS, "move it")


def test_every_page_has_the_title_by_which_it_is_known() -> None:
    pytest.importorskip("jinja2")
    page = render_page("base.html", "x" * 300)
    assert PAGE_TITLE in page[:60_000]
