"""What each kind of model answers, from settings and from the manifest of a bundle."""

import pytest

from ossicle.core.settings import digestible
from ossicle.models.model_kinds import FRAME_WISE, IMAGE_FRAMES, IMAGE_WINDOWS, LOG_MEL, MODEL_KINDS, ModelKind, kind_in
from ossicle.models.networks.registry import BUILDERS
from ossicle.models.settings import ModelSettings, WindowSettings

FRAMES = WindowSettings(reading="frames", head="attention", normalise="level")
MODELS = {
    "crnn": (ModelSettings(), FRAME_WISE),
    "clips": (ModelSettings(name="window"), IMAGE_WINDOWS),
    "frames": (ModelSettings(name="window", window=FRAMES), IMAGE_FRAMES),
}


@pytest.mark.parametrize(("model", "kind"), MODELS.values(), ids=MODELS)
def test_settings_and_manifests_name_the_same_kind(model: ModelSettings, kind: ModelKind) -> None:
    assert model.kind is kind
    assert kind_in(digestible(model)) is kind
    assert kind.reads == LOG_MEL
    # Either windows are read, or it is said why not.
    assert bool(kind.against_windows) is not kind.windows


def test_every_network_of_the_registry_has_its_kinds() -> None:
    assert set(MODEL_KINDS) == set(BUILDERS)


def test_other_manifests() -> None:
    # Bundles from before there was a choice of reading, and from versions to come.
    assert kind_in({"name": "window", "window": {"backbone": "resnet18"}}) is IMAGE_WINDOWS
    assert kind_in({"name": "window"}) is IMAGE_WINDOWS
    assert kind_in({"name": "transformer"}) is None
    assert kind_in({}) is None


def test_networks_say_what_they_hear_and_what_they_are_called() -> None:
    assert [ModelSettings().own.network, ModelSettings(name="window").own.network] == ["crnn", "resnet18"]
    assert not ModelSettings().own.level_free
    for normalise, free in (("minmax", True), ("peak", True), ("level", False), ("none", False)):
        model = ModelSettings(name="window", window=WindowSettings(normalise=normalise))
        assert model.own.level_free is free
