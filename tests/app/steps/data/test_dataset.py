"""Known split strategies through the chain and the command line, with networks that nobody trained."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ossicle.app.project.load import load_project
from ossicle.app.project.variants.presets import variant_preset_names as preset_names
from ossicle.app.steps.engine.step import Silent, run_steps
from ossicle.app.steps.judge.clip_figures import step_for
from ossicle.app.steps.pipeline.pipeline import with_needs
from ossicle.app.steps.pipeline.pipelines import chosen_steps
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.artefacts.array_files.blocks import read_track
from ossicle.artefacts.tables import read_table
from ossicle.artefacts.typed.events import DecisionFolder
from ossicle.artefacts.typed.judged import ClipFiguresFolder
from ossicle.bundle.format import read_bundle
from ossicle.core.errors import SplitError
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import write_raven
from ossicle.corpus.splits.split_kinds import SPLIT_KINDS, TEST, VAL

from ....made_up.untrained import PROJECT, chain_without_training, write_tapes

QUIET = ("--progress", "none")
LEAKY = [name for name, kind in SPLIT_KINDS.items() if kind.divides_clips]
VARIANT = """
[variants.known]
base = "preset:{name}"
[variants.known.dataset]
quality_min = 0
[variants.known.split]
val_share = 0.2
"""


@pytest.fixture
def tapes(tmp_path: Path, without_training: None) -> Path:
    write_tapes(tmp_path, ("siteA_1", "siteA_2", "siteB_1", "siteC_1", "siteD_1", "siteE_1", "siteE_2"))
    (tmp_path / "ossicle.toml").write_text(PROJECT + VARIANT.format(name="random"))
    return tmp_path


def test_every_known_name_is_a_preset_with_its_seed(tmp_path: Path) -> None:
    divisions = {*(name for name in SPLIT_KINDS if name not in ("grouped", "hashed")), "random_more_noise"}
    assert set(preset_names()) >= divisions
    seeds = {}
    for name in sorted(divisions):
        (tmp_path / "ossicle.toml").write_text(PROJECT + f'[variants.known]\nbase = "preset:{name}"\n')
        settings = load_project(tmp_path, variant="known").settings
        assert name.startswith(settings.split.strategy)
        assert settings.split.group == "site"
        assert settings.dataset.noise == "beside"
        seeds[name] = settings.split.seed
    assert seeds == {
        "random": 42,
        "random_more_noise": 43,
        "quality_balanced": 911,
        "clipwise_balanced": 1401,
        "quality_and_clipwise_balanced": 2048,
        "proportional_by_tape": 1731,
    }


def test_a_leaky_split_says_so_and_is_refused_before_anything_is_computed(tapes: Path, ossicle: Any) -> None:
    for wanted in (("--until", "decision"), ("evaluation",), ("--from", "scores")):
        result = ossicle("run", *wanted, "-p", tapes, "--variant", "known", *QUIET)
        assert result.code == 2
        assert "strategy = 'random' is leaky" in result.err
        assert "ossicle dataset optimism" in result.err
        assert not (tapes / "data").exists()
    done = run_project(load_project(tapes, variant="known"), Silent(), "training")
    split = json.loads((done.artefacts["dataset"] / "split.json").read_text())
    assert (split["strategy"], split["ok"]) == ("random", False)
    assert split["leaky"].startswith("leaky: random cuts through ")
    assert split["groups_cut"]
    assert split["names"] == {"-1": "train", "0": "test", "1": "val"}
    # A model without val and test, and one on all.
    assert sorted(path.name for path in done.artefacts["training"].iterdir() if path.is_dir()) == ["final", "holdout"]
    assert len(read_table(done.artefacts["dataset"] / "folds.parquet")) == 0


def test_a_leaky_split_ends_in_a_bundle_that_says_so_and_claims_nothing(tapes: Path, ossicle: Any) -> None:
    result = ossicle("run", "-p", tapes, "--variant", "known", *QUIET)
    assert result.code == 0, result.err
    place = tapes / "variants" / "known"
    assert [path.name for path in place.iterdir()] == ["bundle"]
    bundle = read_bundle(place / "bundle")
    assert bundle.split["leaky"].startswith("leaky: random cuts through")
    assert bundle.split["leaky"] in result.out
    assert bundle.split["strategy"] == "random"
    assert bundle.metrics == {}
    on = bundle.decisions["call"].on
    assert abs(on - 0.5) == min(abs(one - 0.5) for one in load_project(tapes).settings.decision.on)
    card = (place / "bundle" / "CARD.md").read_text()
    assert "**leaky: random cuts through" in card
    assert "fitted on nothing" in card
    assert "Fitted on all recordings" not in card
    assert "scores" not in ossicle("status", "-p", tapes, "--variant", "known").out
    events = ossicle("predict", place / "bundle", tapes / "audio", "-o", tapes / "events")
    assert events.code == 0, events.err


def test_whole_tapes_in_train_val_and_test_run_to_the_end(tapes: Path, ossicle: Any) -> None:
    file = tapes / "ossicle.toml"
    file.write_text(PROJECT + VARIANT.format(name="proportional_by_tape"))
    done = run_project(load_project(tapes, variant="known"), Silent(), "evaluation")
    split = json.loads((done.artefacts["dataset"] / "split.json").read_text())
    assert (split["ok"], split["leaky"]) == (True, "")
    judged = read_table(done.artefacts["dataset"] / "folds.parquet")
    assert set(judged["fold"].to_list()) == {0, 1}
    metrics = json.loads((done.artefacts["evaluation"] / "metrics.json").read_text())
    assert metrics["n_reference"] == 3 * len(judged)
    assert set(metrics["per_group"]) == set(judged["group"].to_list())


def test_hashed_groups_are_evaluated_on_test_with_thresholds_from_val(tapes: Path, ossicle: Any) -> None:
    # Of sites A to E, this seed puts A, B and C into train, D into test and E into val.
    file, chosen = tapes / "ossicle.toml", 'strategy = "hashed"\ntrain_share = 0.4\nval_share = 0.3\nseed = 8'
    file.write_text(PROJECT.replace('group = "site"', f'group = "site"\n{chosen}'))
    done = run_project(load_project(tapes), Silent(), "noise_gate")
    split = json.loads((done.artefacts["dataset"] / "split.json").read_text())
    assert (split["ok"], split["leaky"], split["evaluated"]) == (True, "", [TEST])
    held = read_table(done.artefacts["dataset"] / "folds.parquet")
    assert set(held["fold"].to_list()) == {TEST, VAL}
    tested = held.filter(held["fold"] == TEST)
    for step in ("evaluation", "noise_gate"):
        metrics = json.loads((done.artefacts[step] / "metrics.json").read_text())
        assert set(metrics["per_group"]) == set(tested["group"].to_list())
        assert metrics["n_reference"] == 3 * len(tested)
        # Train and val have the label, so nothing is wrong with the figures of test.
        assert not metrics["notes"]
    result = ossicle("check", "-p", tapes)
    assert "test, by one model that learned from train, with thresholds from val (hashed)" in result.out


def test_the_annotations_of_test_change_no_threshold_of_a_hashed_split(tapes: Path) -> None:
    chosen = 'strategy = "hashed"\ntrain_share = 0.4\nval_share = 0.3\nseed = 8'
    (tapes / "ossicle.toml").write_text(PROJECT.replace('group = "site"', f'group = "site"\n{chosen}'))
    before = run_project(load_project(tapes), Silent(), "decision").artefacts
    held = read_table(before["dataset"] / "folds.parquet")
    (group, *_) = held.filter(held["fold"] == TEST)["group"].to_list()
    for file in (tapes / "tables").glob(f"site{group}_*"):
        write_raven(file, [RawSelection(2.2, 2.3, "call"), RawSelection(8.9, 9.9, "call")])
    after = run_project(load_project(tapes), Silent(), "decision").artefacts
    assert before["decision"] != after["decision"]
    assert DecisionFolder.among(before).decisions[TEST] == DecisionFolder.among(after).decisions[TEST]


@pytest.mark.parametrize("table", ['[second_stage]\nkind = "forest"', '[calibration]\nkind = "platt"'])
def test_what_is_kept_by_figures_of_test_is_refused_with_a_hashed_split(tapes: Path, ossicle: Any, table: str) -> None:
    (tapes / "ossicle.toml").write_text(
        PROJECT.replace('group = "site"', 'group = "site"\nstrategy = "hashed"') + table
    )
    result = ossicle("status", "-p", tapes)
    assert result.code == 2
    assert 'split.strategy = "hashed" keeps test for the last figures: remove one of the two' in result.err


def test_shares_are_of_targets_and_not_of_what_is_too_poor_to_be_one(tapes: Path) -> None:
    for stem in ("siteA_1", "siteA_2"):
        rows = [RawSelection(float(start), start + 0.5, "call", quality=1) for start in (1, 4, 7)]
        write_raven(tapes / "tables" / f"{stem}.Table.1.selections.txt", rows)
    (tapes / "ossicle.toml").write_text(PROJECT + '[variants.known]\nbase = "preset:proportional_by_tape"\n')
    for seed in range(6):
        project = load_project(tapes, (f"split.seed={seed}",), variant="known")
        made = run_project(project, Silent(), "dataset").artefacts["dataset"]
        clips = read_table(made / "clips.parquet")
        targets = clips.filter(clips["role"] == "target")
        # Site A has calls, but none is a target: it cannot fill a split.
        assert "A" not in targets["group"].to_list()
        assert set(targets["fold"].to_list()) == {-1, 0, 1}


@pytest.mark.parametrize("strategy", ["grouped", "proportional_by_tape", "random"])
def test_clip_figures_are_those_of_the_highest_frame_of_held_out_clips(tapes: Path, strategy: str) -> None:
    project = load_project(tapes, variant="known", overrides=(f"split.strategy={strategy}",))
    split = project.settings.split
    step = step_for(split)
    made = run_steps((*chosen_steps(project, step.needs), step), project, Silent()).artefacts
    table = ClipFiguresFolder.among(made).clips
    clips = read_table(made["dataset"] / "clips.parquet")
    held_out = clips.filter(clips["fold"] >= 0)
    assert len(table) == len(held_out)
    tracks = made["scores" if split.kind.judges_recordings else "clip_figures"] / "tracks"
    for row in table.iter_rows(named=True):
        assert row["positive"] == (row["role"] == "target")
        track = read_track(tracks / row["recording_id"])
        centres = (np.arange(len(track.scores)) + 0.5) * track.hop_s
        inside = track.scores[(centres >= row["start_s"]) & (centres <= row["end_s"]), 0]
        assert row["score"] == float(inside.max())
    content = json.loads(ClipFiguresFolder.among(made).figures_file.read_text())
    assert bool(content["leaky"]) == split.kind.divides_clips
    judged = table if strategy == "grouped" else table.filter(table["fold"] == 0)
    assert content["labels"]["call"]["n_positive"] == judged["positive"].sum()
    assert content["labels"]["call"]["n_negative"] == (~judged["positive"]).sum()


def test_optimism_lays_the_same_clips_side_by_side(tapes: Path, ossicle: Any) -> None:
    result = ossicle("dataset", "optimism", "-p", tapes, "--variant", "known", "--json", *QUIET)
    assert result.code == 0, result.err
    own, same, all_clips = json.loads(result.out)
    assert (own["strategy"], same["strategy"], all_clips["strategy"]) == ("random", "grouped", "grouped")
    assert own["leaky"].startswith("leaky: random cuts through")
    assert same["leaky"] == all_clips["leaky"] == ""
    counts = [(of["labels"]["call"]["n_positive"], of["labels"]["call"]["n_negative"]) for of in (own, same, all_clips)]
    assert counts[0] == counts[1]
    assert counts[2] == (21, 21)
    assert all(a < b for a, b in zip(counts[0], counts[2], strict=True))
    shown = ossicle("dataset", "optimism", "-p", tapes, "--variant", "known", *QUIET)
    assert "the same clips, out of fold" in shown.out
    assert "leaky: random cuts through" in shown.out


@pytest.mark.parametrize("strategy", LEAKY)
def test_a_step_that_wants_whole_recordings_refuses_a_leaky_split_by_itself(tapes: Path, strategy: str) -> None:
    project = load_project(tapes)
    split = replace(project.settings.split, strategy=strategy, seed=5, val_share=0.29)
    project = replace(project, settings=replace(project.settings, split=split))
    with pytest.raises(SplitError, match=strategy):
        run_steps(with_needs(chain_without_training(), ("scores",)), project, Silent())
