"""Held-out hits of long recordings and of files of one hit each, scored and judged through the steps of a run."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ossicle.app.cli.tables.table import print_metrics
from ossicle.app.project.load import load_project
from ossicle.app.steps.compare.leaderboard import Judged, board_of
from ossicle.app.steps.engine.step import Done, Silent
from ossicle.app.steps.pipeline import detector
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.app.steps.release.bundle import figures
from ossicle.artefacts.typed.judged import EvaluationFolder
from ossicle.artefacts.typed.scores import ClipBaselinesFolder, ClipScoresFolder, ScoresFolder
from ossicle.audio.wav import write_wav
from ossicle.core.scores.pooling import pooled

from ....made_up.drum_events import LABELS, RATE, hit, write_events
from ....made_up.untrained import use_untrained

SMALL = """
[frontend]
rate = 16000
n_fft = 512
n_mels = 16
fmax_hz = 8000.0
[model.window]
backbone = "test_resnet"
hidden = 8
[training]
device = "cpu"
precision = "32-true"
[evaluation]
criterion = "clips"
bootstrap = 100
[report]
examples = 1
"""
MANIFEST = f"""
base = "recipe:drums"
[corpus]
audio = "hits/audio/groove"
manifest = "hits/events.jsonl"
label_field = ""
name_template = ""
[split]
strategy = "hashed"
group = "session"
train_share = 0.5
val_share = 0.25
[dataset]
before_s = 0.08
after_s = 0.2
{SMALL}
"""
FOLDERS = f"""
base = "recipe:drums"
[corpus]
audio = "audio"
[split]
folds = 2
{SMALL}
"""


@pytest.fixture(scope="module", autouse=True)
def networks_without_training() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        use_untrained(patched)
        yield


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """Twelve sessions of six hits: five train, two val, five test."""
    place = tmp_path_factory.mktemp("events")
    write_events(place / "hits", [f"session_{i}" for i in range(12)])
    (place / "ossicle.toml").write_text(MANIFEST)
    return place, run_project(load_project(place), Silent(), EvaluationFolder.step)


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """Two machines with two hits of each label, each in a file that is shorter than a window."""
    place = tmp_path_factory.mktemp("machines")
    for number, machine in enumerate(("808", "909")):
        for label in LABELS:
            (place / "audio" / machine / label).mkdir(parents=True)
            for take in range(2):
                rng = np.random.default_rng([number, take])
                write_wav(place / "audio" / machine / label / f"{take}.wav", hit(label, rng), RATE)
    (place / "ossicle.toml").write_text(FOLDERS)
    return place, run_project(load_project(place), Silent(), EvaluationFolder.step)


def metrics_of(made: Done) -> dict[str, Any]:
    return EvaluationFolder.among(made.artefacts).metrics


def test_each_hit_of_a_held_out_recording_is_one_clip_with_the_window_at_its_onset(events: tuple[Path, Done]) -> None:
    scored = ClipScoresFolder.among(events[1].artefacts)
    # Val and test, six hits each.
    assert len(scored.clips) == 7 * 6
    first = scored.clips.row(0, named=True)
    assert (first["onset_s"], first["start_s"], first["end_s"]) == (0.2, pytest.approx(0.12), 0.4)
    assert all(scored.track(key).scores.shape == (6, 3) for key in scored.clips["recording_id"].unique())


def test_only_hits_of_test_are_judged_and_every_figure_has_its_interval(events: tuple[Path, Done]) -> None:
    clips = metrics_of(events[1])["clips"]
    assert (clips["n"], clips["n_recordings"], sum(clips["support"].values())) == (30, 5, 30)
    for figure in (clips["accuracy"], clips["macro_f1"], clips["loss"], *clips["f1"].values()):
        assert set(figure) == {"value", "low", "high"}
    assert np.array(clips["confusion"]["counts"]).sum() == 30
    assert metrics_of(events[1])["protocol"]["judged"] == "clips"


def test_a_hit_that_fills_its_file_has_the_score_of_the_file(machines: tuple[Path, Done]) -> None:
    made = machines[1].artefacts
    scored, whole = ClipScoresFolder.among(made), ScoresFolder.among(made)
    assert len(scored.clips) == 12
    for key in scored.clips["recording_id"].to_list():
        assert scored.track(key).scores.tolist() == [pooled(whole.track(key), "max").tolist()]
    answers = metrics_of(machines[1])
    # One label in each recording: the answer by clip is that by recording.
    assert answers["clips"]["accuracy"]["value"] == answers["recordings"]["accuracy"]["value"]
    assert answers["clips"]["confusion"] == answers["recordings"]["confusion"]


def test_console_and_bundle_show_clips_first(machines: tuple[Path, Done], capsys: pytest.CaptureFixture[str]) -> None:
    print_metrics(metrics_of(machines[1]))
    output = capsys.readouterr().out
    assert "clips, out of fold" in output
    assert "label hihat_closed" in output
    assert "12 clips (all) of 12 recordings in 2 groups" in output
    assert "few groups" in output
    assert "labels in recordings" not in output
    card = figures(metrics_of(machines[1]))
    assert [one["name"] for one in card[:3]] == ["accuracy by clip", "macro f1 by clip", "loss by clip"]
    assert {one.get("label") for one in card[3:]} == set(LABELS)


def test_a_fraction_is_scored_and_said_and_the_networks_are_reused(events: tuple[Path, Done]) -> None:
    place, before = events
    project = load_project(place, ["evaluation.fraction=0.5", "evaluation.floor=0"])
    made = run_project(project, Silent(), names=["evaluation"])
    assert made.outcomes["scores"] == "reused"
    assert made.artefacts["training"] == before.artefacts["training"]
    scored = ClipScoresFolder.among(made.artefacts)
    # Of 10 hits of each label in test and 4 in val.
    assert sorted(scored.clips["label"].value_counts()["count"].to_list()) == [7, 7, 7]
    whole = ClipScoresFolder.among(before.artefacts)
    key = ["recording_id", "onset_s", "label"]
    assert len(scored.clips.join(whole.clips, on=key, how="semi")) == 21


def test_clips_that_are_scored_again_are_the_same(events: tuple[Path, Done], tmp_path: Path) -> None:
    place = Path(shutil.copytree(events[0], tmp_path / "p"))
    # Roots and the data root moved.
    assert run_project(load_project(place), Silent(), "clip_scores").outcomes["clip_scores"] == "reused"
    again = run_project(load_project(place), Silent(), "clip_scores", recompute_from="clip_scores")
    assert again.outcomes["clip_scores"] == "computed"
    assert len({ClipScoresFolder.among(done.artefacts).content for done in (events[1], again)}) == 1


def test_projects_that_judge_no_clips_keep_their_steps(events: tuple[Path, Done]) -> None:
    for criterion, there in (("clips", True), ("recording", False), ("iou", False)):
        project = load_project(events[0], [f"evaluation.criterion={criterion}"])
        assert (ClipScoresFolder.step in [step.name for step in detector.PIPELINE.steps_of(project)]) is there


def test_answers_confusion_and_mistakes_are_files_that_need_no_ossicle(events: tuple[Path, Done]) -> None:
    assert (events[0] / "clip_results" / "answers.parquet").is_file()
    folder, clips = EvaluationFolder.among(events[1].artefacts).clips.path, metrics_of(events[1])["clips"]
    counts = np.load(folder / "confusion.npy")
    assert counts.dtype == np.int64
    assert (
        counts.tolist() == clips["confusion"]["counts"] == json.loads((folder / "confusion.json").read_text())["counts"]
    )
    assert (folder / "confusion.svg").read_text().startswith("<svg")
    answers = pl.read_parquet(folder / "answers.parquet")
    assert len(answers) == 30
    assert (answers["label"] == answers["answer"]).mean() == pytest.approx(clips["accuracy"]["value"], abs=1e-6)
    assert set(answers["bucket"]) == {"medium"}
    assert clips["per_source"]["groove"]["n"] == 30
    wrong = pl.read_csv(folder / "misclassified.csv")
    assert len(wrong) == 30 - int(np.trace(counts))
    assert {"recording", "onset_s", "label", "answer", "confidence", "top1", "top2", "top3"} <= set(wrong.columns)
    assert pl.read_csv(folder / "misclassified_pairs.csv")["clips"].sum() == len(wrong)


def test_the_majority_and_a_forest_stand_beside_the_answers(events: tuple[Path, Done], capsys: Any) -> None:
    clips = metrics_of(events[1])["clips"]
    majority, forest = (clips["baselines"][name] for name in ("majority", "mfcc_forest"))
    # Three labels, equally often.
    assert majority["accuracy"]["value"] == pytest.approx(1 / 3, abs=1e-6)
    # Three very different sounds.
    assert forest["accuracy"]["value"] > 0.8
    for one in (majority, forest):
        assert one["gain"]["macro_f1"]["value"] == pytest.approx(
            clips["macro_f1"]["value"] - one["macro_f1"]["value"], abs=2e-6
        )
        assert one["gain"]["macro_f1"]["low"] <= one["gain"]["macro_f1"]["value"]
    print_metrics(metrics_of(events[1]))
    assert "random forest on MFCCs on the same clips: accuracy" in capsys.readouterr().out


def test_simple_models_learn_nothing_of_what_they_are_judged_on(events: tuple[Path, Done], tmp_path: Path) -> None:
    place = Path(shutil.copytree(events[0], tmp_path / "p"))
    lines = [json.loads(line) for line in (place / "hits" / "events.jsonl").read_text().splitlines()]
    judged = {"session_2", "session_3", "session_6", "session_7", "session_9"}
    turned = {"kick": "snare", "snare": "hihat_closed", "hihat_closed": "kick"}
    for line in lines:
        if line["session_id"] in judged:
            line["components"][0]["label"] = turned[line["components"][0]["label"]]
    (place / "hits" / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    made = run_project(load_project(place), Silent(), "clip_baselines")
    result = [ClipBaselinesFolder.among(done.artefacts).scores for done in (events[1], made)]
    key = ["recording_id", "onset_s"]
    both = result[0].join(result[1], on=key, suffix="_turned", maintain_order="left")
    assert len(both) == len(result[0])
    assert (both["label"] != both["label_turned"]).sum() == 30
    # Labels of test were turned, and what is said of test stayed the same.
    assert both["mfcc_forest"].to_list() == both["mfcc_forest_turned"].to_list()
    assert both["majority"].to_list() == both["majority_turned"].to_list()


def test_without_baselines_there_is_no_step_for_them(events: tuple[Path, Done]) -> None:
    project = load_project(events[0], ["evaluation.baselines=false"])
    assert ClipBaselinesFolder.step not in [step.name for step in detector.PIPELINE.steps_of(project)]


def test_the_leaderboard_ranks_by_hits_and_compares_the_same_hits(events: tuple[Path, Done]) -> None:
    project = load_project(events[0])
    own = Judged(".", project, metrics_of(events[1]), events[1].artefacts, None)
    part = load_project(events[0], ["evaluation.fraction=0.5", "evaluation.floor=0"])
    made = run_project(part, Silent(), names=["evaluation"])
    board = board_of([own, replace(own, name="again"), Judged("half", part, metrics_of(made), made.artefacts, None)])
    assert {row.headline_name for row in board.rows} == {"clips_macro_f1"}
    assert list(board.to_json()["figures"]) == ["clips_macro_f1", "clips_accuracy"]
    assert board.rows[0].headline == metrics_of(events[1])["clips"]["macro_f1"]["value"]
    # Half of the hits are other hits, so nothing is compared with them. Equal figures are sorted by name.
    nothing = {"value": 0.0, "low": 0.0, "high": 0.0}
    assert [(row.name, row.to_best) for row in board.rows] == [(".", None), ("again", nothing), ("half", None)]


def test_merging_simultaneous_hits_changes_no_single_label_figure(events: tuple[Path, Done], tmp_path: Path) -> None:
    place = Path(shutil.copytree(events[0], tmp_path / "p"))
    manifest = place / "hits" / "events.jsonl"
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    for line in lines[::3]:
        # A second drum in the same moment.
        second = {**line["components"][0], "label": LABELS[(LABELS.index(line["components"][0]["label"]) + 1) % 3]}
        line["components"].append(second)
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    runs = [
        run_project(load_project(place, [f"dataset.merge_s={merge_s}"]), Silent(), "evaluation")
        for merge_s in (0, 0.03)
    ]
    plain, merged = (metrics_of(run)["clips"] for run in runs)
    assert runs[0].artefacts["dataset"] != runs[1].artefacts["dataset"]
    assert plain["n"] == 30 + 10
    assert plain["multi_label"]["n_simultaneous"] == 10
    assert merged == plain
