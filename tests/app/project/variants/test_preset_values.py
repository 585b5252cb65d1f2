"""Presets for drums: every value of each is stated, and `presets show` says where it comes from."""

import json
from typing import Any

import pytest

from ossicle.app.project.variants.preset_values import preset_values
from ossicle.app.project.variants.presets import variant_preset, variant_preset_names
from ossicle.training.settings import TrainingSettings

from ...conftest import Commands

FIXED: dict[str, dict[str, Any]] = {
    "drums/warmup": {
        "epochs": 8, "schedule": "cosine", "warmup_epochs": 4, "learning_rate": 4.5e-4, "final_learning_rate": 2e-5,
        "batch_size": 32, "accumulate": 4, "weight_decay": 1e-4, "gradient_clip": 1.0, "init_from": "",
    },
    "drums/baseline": {
        "epochs": 60, "schedule": "plateau", "plateau_patience": 5, "learning_rate": 5e-4, "batch_size": 48,
        "accumulate": 1, "weight_decay": 0.0, "keep": "best", "init_from": "",
    },
    "drums/long": {
        "epochs": 220, "schedule": "cosine", "warmup_epochs": 16, "learning_rate": 2.8e-4, "final_learning_rate": 2e-5,
        "batch_size": 32, "accumulate": 4, "subset_seed": 20251112, "init_from": "warmup",
    },
}  # fmt: skip
STATED = {
    "epochs", "steps_per_epoch", "batch_size", "accumulate", "optimiser", "learning_rate", "schedule",
    "final_learning_rate", "warmup_epochs", "weight_decay", "gradient_clip", "subset", "subset_seed", "keep",
    "patience", "inner_share", "average_epochs",
}  # fmt: skip


@pytest.mark.parametrize("name", FIXED)
def test_a_preset_states_its_whole_training(name: str) -> None:
    assert set(variant_preset(name)["training"]) >= STATED
    shown = {preset_value.key: preset_value for preset_value in preset_values(name) if preset_value.table == "training"}
    assert {key: shown[key].value for key in FIXED[name]} == FIXED[name]
    assert all(shown[key].source == f"preset:{name}" for key in STATED)
    # What the preset leaves alone is shown too, with the recipe's value.
    assert shown.keys() == TrainingSettings.__dataclass_fields__.keys()
    assert (shown["weak"].value, shown["weak"].source) == (True, "recipe:drums")
    assert shown["seed"].source == "default"


def test_presets_of_a_recipe_come_in_the_order_of_their_lengths() -> None:
    assert variant_preset_names("drums") == tuple(FIXED)
    assert variant_preset_names("birds") == ()


def test_all_kinds_are_listed_and_shown(ossicle: Commands) -> None:
    listed = json.loads(ossicle("presets", "--json").out)
    assert listed["training"]["quick"]["epochs"] == 3
    assert set(listed["vocoder"]) == {"small", "full"}
    assert listed["variants"]["drums/warmup"]["training"]["epochs"] == 8
    table = ossicle("presets").out
    assert '[training] preset = "quick"' in table
    assert '[vocoder] preset = "small"' in table
    assert 'base = "preset:drums/long"' in table
    shown = json.loads(ossicle("presets", "show", "drums/long", "--json").out)
    assert shown["settings"]["training"]["epochs"] == {"value": 220, "source": "preset:drums/long"}
    lines = ossicle("presets", "show", "small").out.splitlines()
    assert any(line.split() == ["vocoder.preset", '"small"', "preset:small"] for line in lines)
    lines = ossicle("presets", "show", "quick").out.splitlines()
    assert any(line.split() == ["training.epochs", "3", "preset:quick"] for line in lines)
    assert any(line.split() == ["training.seed", "0", "default"] for line in lines)
    wrong = ossicle("presets", "show", "drums/warmpu")
    assert wrong.code == 2
    assert "no preset is called 'drums/warmpu'; did you mean 'drums/warmup'?" in wrong.err
