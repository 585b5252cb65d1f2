"""``ossicle promote``: what is promoted, what is refused and why, and what remains of both."""

import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from ossicle.app.project.load import load_project
from ossicle.app.steps.promotion.finished_run import finished_run
from ossicle.app.steps.promotion.promote import promote, promoted_before
from ossicle.artefacts.files import tree_digest
from ossicle.artefacts.tables import read_table, write_table
from ossicle.bundle.registry.registry import Registry
from ossicle.bundle.registry.version import write_checksums
from ossicle.core.errors import UsageError

from ...conftest import Commands
from ...promoted_run import clip_figures, set_figures

_LINK = re.compile(r"\]\(([^)]+)\)")


def registry_of(project: Path) -> Registry:
    return Registry(project / "data" / "registry")


def check_links(card: Path) -> None:
    links = _LINK.findall(card.read_text())
    assert len(links) >= 3
    for link in links:
        assert not Path(link).is_absolute()
        assert (card.parent / link).exists(), link


def test_a_good_run_is_promoted_and_can_be_used(project: Path, ossicle: Commands) -> None:
    result = ossicle("promote", "-p", project, "--name", "drums")
    assert result.code == 0, result.err
    assert "promoted as registry:drums@1" in result.out
    assert "clips.accuracy >= 0.93" in result.out
    version = registry_of(project).open("drums")
    assert tree_digest(version.bundle) == tree_digest(project / "bundle")
    assert version.gates["passed"]
    assert version.metrics["clips"]["accuracy"]["value"] == 0.95
    assert version.environment["promotion"]["packages"]["numpy"]
    # Networks that nobody trained have no environment of a training; see test_environment.py.
    assert version.environment["training"] == {}
    check_links(version.card)
    assert "| clips.accuracy &gt;= 0.93 | 0.95 | 0.93 | passed |" in version.card.read_text()


def test_a_worse_run_is_refused_with_each_failed_line_and_changes_nothing(project: Path, ossicle: Commands) -> None:
    assert ossicle("promote", "-p", project, "--name", "drums").code == 0
    set_figures(project, clip_figures(0.7, 0.9, kick=0.5, snare=0.8), "other")
    result = ossicle("promote", "-p", project, "--variant", "other", "--name", "drums")
    assert result.code == 4
    for line in (
        "clips.accuracy >= 0.93: 0.7 is below 0.93",
        "clips.loss <= 0.45: 0.9 is above 0.45",
        "clips.f1.kick > 0.9: 0.5 is not above 0.9",
        "clips.f1.kick no worse than version 1: 0.5 is below 0.95 by more than the margin of 0.02",
        "clips.f1.snare no worse than version 1: 0.8 is below 0.94 by more than the margin of 0.02",
    ):
        assert line in result.err
    assert "version 1 stays current" in result.err
    registry = registry_of(project)
    assert registry.current("drums") == 1
    line = registry.ledger("drums")[-1]
    assert (line["event"], line["against"], line["variant"], len(line["failed"])) == ("refused", 1, "other", 5)
    card = registry.root / "drums" / "refused" / "0001" / "card.md"
    check_links(card)
    assert "# drums, refusal 1: refused" in card.read_text()
    assert "[version 1](../../versions/0001/card.md)" in card.read_text()


def test_a_better_run_is_promoted_and_rolled_back(project: Path, ossicle: Commands) -> None:
    ossicle("promote", "-p", project, "--name", "drums")
    set_figures(project, clip_figures(0.97, kick=0.97), "other")
    result = ossicle("promote", "-p", project, "--variant", "other", "--name", "drums", "--json")
    assert result.code == 0, result.err
    content = json.loads(result.out)
    assert (content["promoted"], content["number"], content["against"], content["reference"]) == (
        True,
        2,
        1,
        "registry:drums@2",
    )
    assert "[version 1](../0001/card.md)" in registry_of(project).version("drums").card.read_text()
    assert ossicle("registry", "rollback", "drums", "-p", project, "--reason", "sounds worse").code == 0
    assert registry_of(project).current("drums") == 1


def test_a_class_that_the_project_does_not_have_fails_by_name(project: Path, ossicle: Commands) -> None:
    result = ossicle("promote", "-p", project, "--set", 'promotion.require=["clips.f1.crash > 0.9"]')
    assert result.code == 4
    assert "there is no 'crash' in clips.f1; choose one of: kick, snare" in result.err
    assert "nothing was promoted" in result.err


def test_an_undefined_figure_fails_by_name(project: Path, ossicle: Commands) -> None:
    set_figures(project, clip_figures(kick=None))
    result = ossicle("promote", "-p", project)
    assert result.code == 4
    assert "clips.f1.kick > 0.9: is undefined" in result.err


def test_the_name_is_that_of_the_project_unless_it_is_given(project: Path) -> None:
    assert promote(load_project(project)).reference == "registry:detector@1"


def test_a_run_that_is_not_finished_is_not_promoted(project: Path, ossicle: Commands) -> None:
    result = ossicle("promote", "-p", project, "--set", "training.seed=99")
    assert result.code == 2
    assert "training is not done under these settings: run `ossicle run -p" in result.err
    assert not (project / "data" / "registry").exists()


def test_a_refusal_of_the_noise_gate_refuses_the_promotion(
    project: Path, ossicle: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_project(project)
    from ossicle.app.steps.engine.step import find_steps
    from ossicle.app.steps.pipeline.pipelines import steps_of
    from ossicle.artefacts.files import read_json, write_json

    folder = find_steps(steps_of(loaded), loaded)["noise_gate"]
    assert folder is not None
    metrics = read_json(folder / "metrics.json")
    write_json(
        folder / "metrics.json",
        metrics | {"gate": metrics["gate"] | {"passed": False, "found_nothing": "it is silent"}},
    )
    result = ossicle("promote", "-p", project)
    assert result.code == 4
    assert "noise gate: " in result.err
    assert "it is silent" in result.err


def test_figures_of_another_dataset_are_not_compared(project: Path, ossicle: Commands) -> None:
    ossicle("promote", "-p", project, "--name", "drums")
    version = registry_of(project).version("drums")
    # As in a project that judges no clips.
    (version.path / "answers.parquet").unlink()
    file = version.bundle / "bundle.json"
    content = json.loads(file.read_text())
    content["provenance"]["dataset"] = "0" * 64
    file.write_text(json.dumps(content))
    write_checksums(version.path)
    result = ossicle("promote", "-p", project, "--name", "drums")
    assert result.code == 4
    assert "same data as version 1: its figures are of another dataset" in result.err


def test_runs_are_compared_on_the_clips_that_both_were_judged_on(project: Path, ossicle: Commands) -> None:
    ossicle("promote", "-p", project, "--name", "drums")
    version = registry_of(project).version("drums")
    answers = read_table(version.path / "answers.parquet")
    assert answers.columns == ["recording_id", "onset_s", "label", "answer"]
    # The promoted model was judged on other clips too, and all its answers to the common ones were right.
    right = answers.head(8).with_columns(pl.col("label").alias("answer"))
    others = answers.tail(8).with_columns(pl.col("onset_s") + 100)
    write_table(version.path / "answers.parquet", pl.concat([right, others]), list(right.columns[:3]))
    write_checksums(version.path)
    result = ossicle("promote", "-p", project, "--name", "drums")
    assert result.code == 4
    # One of the two labels gets all answers of a network that nobody trained.
    assert "no worse than version 1 on 8 common clips: 0 is below 1 by more than the margin" in result.err
    write_table(version.path / "answers.parquet", others, list(right.columns[:3]))
    write_checksums(version.path)
    result = ossicle("promote", "-p", project, "--name", "drums")
    assert result.code == 4
    assert "same data as version 1: the two runs were judged on no common clip" in result.err


def test_the_probe_gate_is_asked_again_before_a_promotion(project: Path, ossicle: Commands) -> None:
    more = ("--set", "probe_gate.accuracy=0.72", "--set", "probe_gate.floor=1")
    result = ossicle("promote", "-p", project, *more)
    assert result.code == 4
    assert "probe gate: accuracy >= 0.72: 0.5 is below 0.72" in result.err
    assert ossicle("promote", "-p", project, "--set", "probe_gate.accuracy=0.5").code == 0


def test_what_was_promoted_survives_a_purge(project: Path, ossicle: Commands) -> None:
    assert ossicle("promote", "-p", project, "--name", "drums").code == 0
    made_from = {str(path) for path in finished_run(load_project(project), "promote").artefacts.values()}
    # Nothing but the promotion refers to these artefacts now.
    (project / "ossicle.toml").write_text((project / "ossicle.toml").read_text() + "[dataset]\nmargin_s = 0.7\n")
    for name in ("bundle", "variants"):
        shutil.rmtree(project / name)
    for name in ("metrics.json", "report.html"):
        (project / name).unlink()
    result = ossicle("purge", "-p", project, "--dry-run", "--json")
    assert result.code == 0, result.err
    left = json.loads(result.out)
    assert not made_from & {one["path"] for one in left}
    pins = json.loads(ossicle("pin", "-p", project, "--json").out)
    assert [(pin["name"], pin["made_of"]) for pin in pins] == [
        ("promoted-drums-1", "version 1 of drums in the registry")
    ]
    ossicle("pin", "promoted-drums-1", "-p", project, "--remove")
    more = json.loads(ossicle("purge", "-p", project, "--dry-run", "--json").out)
    assert made_from & {one["path"] for one in more}


def test_a_refused_run_is_not_kept(project: Path, ossicle: Commands) -> None:
    set_figures(project, clip_figures(0.1))
    assert ossicle("promote", "-p", project).code == 4
    assert json.loads(ossicle("pin", "-p", project, "--json").out) == []


def test_run_never_promotes(project: Path) -> None:
    assert not (project / "data" / "registry").exists()


def test_a_leaky_split_is_never_promoted(project: Path) -> None:
    with pytest.raises(UsageError, match="is not done under these settings"):
        promote(load_project(project, ("split.strategy=random",)))


def test_the_current_version_is_known_again_as_long_as_it_passes(project: Path) -> None:
    loaded = load_project(project)
    assert promoted_before(loaded, "drums") == ""
    promote(loaded, "drums")
    assert promoted_before(loaded, "drums") == "registry:drums@1"
    assert promoted_before(load_project(project, variant="other"), "drums") == ""
    stricter = load_project(project, ('promotion.require=["clips.accuracy >= 0.99"]',))
    assert promoted_before(stricter, "drums") == ""
