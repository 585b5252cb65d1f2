from dataclasses import fields

import pytest

from ossicle.core.errors import UsageError
from ossicle.training.presets import preset, preset_about, preset_names
from ossicle.training.settings import TrainingSettings


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_names_settings_that_work_and_says_what_it_is_for(name: str) -> None:
    TrainingSettings(**preset(name))
    assert set(preset(name)) <= {spec.name for spec in fields(TrainingSettings)}
    assert len(preset_about(name)) > 20


def test_standard_is_the_defaults_and_long_three_times_as_long() -> None:
    assert TrainingSettings(**preset("standard")) == TrainingSettings()
    assert TrainingSettings(**preset("long")) == TrainingSettings(epochs=3 * TrainingSettings().epochs)
    quick = TrainingSettings(**preset("quick"))
    assert (
        quick.epochs * quick.steps_per_epoch * 20 < TrainingSettings().epochs * TrainingSettings().steps_per_epoch * 2
    )


def test_an_unknown_name_comes_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'standard'"):
        preset("standart")
    with pytest.raises(UsageError, match="choose one of: quick, standard, long"):
        preset("zzz")


def test_a_caller_cannot_change_a_preset() -> None:
    preset("long")["epochs"] = 1
    assert preset("long") == {"epochs": 120}
