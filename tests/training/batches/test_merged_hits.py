"""Simultaneous hits in training: one target with several labels, instead of several that contradict each other."""

from pathlib import Path

import numpy as np
import pytest

from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Silent
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.training.batches.crops import place_any, read_crop
from ossicle.training.batches.material import Material, load_material
from ossicle.training.batches.target_rules import TargetRules

from ...made_up.drum_events import RATE, event
from ...made_up.drum_events import write_events as write_hits

LABELS = ("hihat_closed", "kick", "snare")
PLAN = ChunkPlan(rate=RATE, hop_samples=4480, window_samples=4480, core_frames=1, context_frames=0)
"""One window of 0.28 s."""


@pytest.fixture(scope="module")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Path]]:
    """Datasets and stores of one manifest, by name: without and with merging. Kick and hat are 10 ms apart, the snare
    follows after 0.15 s.
    """
    import json

    folder = tmp_path_factory.mktemp("hits")
    manifest = write_hits(folder, [f"session-{k}" for k in range(30)], hits=2)
    lines = [
        json.dumps(event(f"session-{k}", "groove", onset_s, label, number, k))
        for k in range(30)
        for number, (onset_s, label) in enumerate(((0.3, "kick"), (0.31, "hihat_closed"), (0.45, "snare")))
    ]
    manifest.write_text("\n".join(lines) + "\n")
    (folder / "ossicle.toml").write_text(
        f"""
base = "recipe:drums"
[corpus]
audio = "audio/groove"
manifest = "events.jsonl"
label_field = ""
name_template = ""
[split]
strategy = "hashed"
group = "session"
[frontend]
rate = {RATE}
fmax_hz = 8000.0
[dataset]
before_s = 0.08
after_s = 0.2
[variants.merged.dataset]
merge_s = 0.02
"""
    )
    return {
        name: dict(run_project(load_project(folder, variant=name), Silent(), "store").artefacts)
        for name in ("", "merged")
    }


def material(artefacts: dict[str, Path], presence_s: float | None = 0.0, onset_s: float = 0.0) -> Material:
    rules = TargetRules(presence_s=presence_s, onset_s=onset_s)
    return load_material(DatasetFolder.among(artefacts), artefacts["store"], LABELS, PLAN, rules)


def labels_of_targets(found: Material) -> dict[str, list[str]]:
    """The labels that a crop of the first clip of each label has."""
    out: dict[str, list[str]] = {}
    for clip in found.clips:
        if clip.role == "target" and clip.label not in out:
            targets = read_crop(found, place_any(clip, found, weak=True, where=0.5))[1]
            out[clip.label] = [label for label, value in zip(LABELS, targets[0].tolist(), strict=True) if value > 0]
    return out


def test_simultaneous_hits_are_one_target_and_later_hits_are_not_part_of_it(
    artefacts: dict[str, dict[str, Path]],
) -> None:
    together = ["hihat_closed", "kick"]
    assert labels_of_targets(material(artefacts["merged"])) == {
        "hihat_closed": together,
        "kick": together,
        "snare": ["snare"],
    }
    # Without merging a window has every label that sounds in it.
    assert labels_of_targets(material(artefacts[""]))["kick"] == list(LABELS)


def test_the_clips_that_are_judged_stay_the_same(artefacts: dict[str, dict[str, Path]]) -> None:
    plain, merged = (DatasetFolder.among(artefacts[name]) for name in ("", "merged"))
    assert list(plain.clips) == list(merged.clips)
    assert list(plain.annotations) == list(merged.annotations)
    assert plain.merged == {}
    assert merged.merged == {"merge_s": 0.02, "before_s": 0.08, "hits": 90, "targets": 60}
    # A training with other targets is another training.
    assert plain.path != merged.path


def test_targets_with_times_start_together(artefacts: dict[str, dict[str, Path]]) -> None:
    result = material(artefacts["merged"], presence_s=None, onset_s=0.03)
    assert result.merged is None
    for by_label in result.intervals.values():
        np.testing.assert_allclose(by_label["kick"], by_label["hihat_closed"])
        np.testing.assert_allclose(by_label["kick"], [[0.285, 0.315]])
