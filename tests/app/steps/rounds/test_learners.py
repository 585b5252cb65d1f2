"""Who uses a round that lies in the folder of a project and its variants."""

from functools import partial
from pathlib import Path

from ossicle.app.project.load import load_project
from ossicle.app.steps.rounds.learners import learners
from ossicle.app.steps.rounds.pseudo_labels import _stops

from ....made_up.untrained import PROJECT

VARIANTS = """
[variants.apart.dataset]
mined = false
[variants.long.chunks]
core_s = 4.0
"""


def test_those_that_use_it_those_that_do_not_and_those_that_it_stops(tmp_path: Path) -> None:
    (tmp_path / "ossicle.toml").write_text(PROJECT + VARIANTS)
    project = load_project(tmp_path, variant="apart")
    result = learners(project, lambda one: one.settings.dataset.mined, partial(_stops, project))
    assert (result.used_by, result.not_used_by, list(result.stopped)) == ((".", "long"), ("apart",), ["long"])
    assert result.lines("write mined = false in [variants.NAME.dataset]") == [
        "the next runs of these use it: the project itself, variant long",
        "these do not use it: variant apart",
        "variant long will stop: its windows are 200 frames of 20 ms, those of the round 100 of 20 ms",
        "to leave it out of a variant: write mined = false in [variants.NAME.dataset]",
    ]
    assert result.to_json()["used_by"] == [".", "long"]


def test_a_project_without_variants_needs_no_word(tmp_path: Path) -> None:
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    assert learners(load_project(tmp_path), lambda _: True).lines("") == []
