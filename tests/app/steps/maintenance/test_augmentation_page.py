"""``ossicle dataset augment`` through the command line, and augmentation that a project cannot have."""

import re
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Context, Silent
from ossicle.app.steps.maintenance.augmentation_page import Wanted, show_augmentation
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.app.steps.train.training import say_backgrounds
from ossicle.artefacts.logs.journal import Journal
from ossicle.artefacts.logs.runlog import RunLog
from ossicle.core.errors import ProjectError
from ossicle.models.augmentation.settings import MixupSettings
from ossicle.models.settings import AugmentSettings
from ossicle.report.pages import augment_page
from ossicle.training.batches.shown import always

from ....made_up.untrained import PROJECT, write_tapes

QUIET = ("--progress", "none")
AUGMENT = """
[augment]
time_mask_s = 0.1
[augment.mixup]
probability = 0.5
[augment.early]
shift_probability = 0.5
shift_s = 0.2
"""


@pytest.fixture
def tapes(tmp_path: Path) -> Path:
    write_tapes(tmp_path, ("siteA_1", "siteA_2", "siteB_é <b>ü"))
    (tmp_path / "ossicle.toml").write_text(PROJECT + AUGMENT)
    return tmp_path


def test_the_page_is_of_the_recording_that_was_asked_for(tapes: Path, ossicle: Any) -> None:
    page = tapes / "page.html"
    result = ossicle(
        "dataset", "augment", "-p", tapes, "-o", page, "--recording", "siteB_é <b>ü.wav", "--always", *QUIET
    )
    assert result.code == 0, result.err
    assert result.out.startswith("siteB_é <b>ü.wav after each stage: ")
    text = page.read_text(encoding="utf-8")
    assert "siteB_é &lt;b&gt;ü.wav" in text
    assert "<b>ü" not in text
    for stage in ("read", "early", "mixup", "late", "normalise", "filter", "stretch", "spectral"):
        assert f'id="{stage}"' in text
    assert "all crops: another crop of the batch, half of each; labels combined as 1 - (1 - a)(1 - b)" in text
    assert "crops of silence, noise and hum are added to each batch" in text
    once = page.read_bytes()
    again = ossicle(
        "dataset", "augment", "-p", tapes, "-o", page, "--recording", "siteB_é <b>ü.wav", "--always", *QUIET
    )
    assert again.code == 0
    assert page.read_bytes() == once
    other = ossicle("dataset", "augment", "-p", tapes, "-o", page, "--seed", 8, *QUIET)
    assert other.code == 0
    assert page.read_bytes() != once


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-o", "page.png"), "page.png: give an .html file"),
        (("-o", "page.html", "--recording", "siteA_3.wav"), "this recording does not exist; did you mean '"),
    ],
)
def test_what_cannot_be_shown_is_said(tapes: Path, ossicle: Any, arguments: tuple[str, ...], message: str) -> None:
    result = ossicle("dataset", "augment", "-p", tapes, *arguments, *QUIET)
    assert result.code == 2
    assert message in result.err


CLIPS = 'model.name="window"', "chunks.window_s=1.0", "chunks.step_s=1.0", "chunks.core_s=1.0"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (('augment.normalise="late"',), 'normalise = "late" scales training crops to full scale'),
        ((*CLIPS, 'model.window.normalise="level"', 'augment.normalise="both"'), "needs a network that ignores levels"),
        (("augment.early.shift_s=0.001",), "shift_s = 0.001 s is shorter than a frame"),
        (("augment.mixup.probability=1.5",), "probability = 1.5 must be at most 1"),
        (("augment.spectral.time_masks=0",), "time_masks = 0 must be at least 1"),
        (("augment.mixup.weights=1",), "weights"),
    ],
)
def test_augmentation_that_teaches_what_is_never_heard_is_refused(
    tapes: Path, changes: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ProjectError, match=message.replace("(", r"\(")):
        load_project(tapes, changes)


def test_clips_may_be_normalised_and_moved_by_any_time(tapes: Path) -> None:
    settings = load_project(tapes, (*CLIPS, 'augment.normalise="late"', "augment.early.shift_s=0.001")).settings
    assert settings.augment.normalise == "late"
    assert not settings.plan.overlaps


@pytest.mark.parametrize(("changes", "said"), [
    (("dataset.noise_per_target=0",), True),
    (("dataset.noise_per_target=0", "augment.background_probability=0"), False),
    ((), False),
])  # fmt: skip
def test_backgrounds_that_there_are_none_of_are_missed_aloud(tapes: Path, changes: tuple[str, ...], said: bool) -> None:
    project = load_project(tapes, changes)
    made = run_project(project, Silent(), "dataset").artefacts
    heard: list[str] = []
    progress = Silent()
    progress.say = heard.append  # type: ignore[method-assign]
    context = Context(project, made, tapes, progress, RunLog(tapes / "log"), Journal(tapes / "journal"), {})
    say_backgrounds(context)
    assert [("has no effect: every clip of the dataset has a target" in one) for one in heard] == [True] * said


def test_the_page_shows_the_targets_of_a_training_on_starts(tapes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    monkeypatch.setattr(augment_page, "write_augment_page", lambda file, page: shown.append(page))
    for onset_s in (0.0, 0.03):
        project = load_project(tapes, (f"training.onset_s={onset_s}",))
        show_augmentation(project, tapes / "page.html", Wanted(), Silent())
    whole, starts = (float(page.views[0].targets.sum()) * page.hop_s for page in shown)
    assert 0 < starts <= 0.03 * 3 < whole


def test_the_settings_of_the_page_are_settings(tapes: Path, repository: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", (repository / "docs" / "augmentation.md").read_text("utf-8"), re.DOTALL)
    (tapes / "ossicle.toml").write_text('base = "recipe:birds"\n[corpus]\naudio = "audio"\n' + block, encoding="utf-8")
    augment = load_project(tapes).settings.augment
    assert augment.normalise == "both"
    assert int(augment.frequency_mask * 128) == 10
    assert augment.early.shift_probability == 0.0
    # By what it says of itself: laid over the recipe's own, nothing of those stays on.
    assert augment.mixup == MixupSettings(probability=0.5)
    assert augment.spectral.time_masks == 3


def test_always_touches_all_crops_but_leaves_what_is_off() -> None:
    augment_settings = always(AugmentSettings(mixup=MixupSettings(probability=0.1)))
    assert augment_settings.mixup.probability == augment_settings.background_probability == 1.0
    assert augment_settings.early.hiss_probability == 0.0
