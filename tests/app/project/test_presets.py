import pytest

from ossicle.app.project.load import load_project
from ossicle.core.errors import ProjectError

PROJECT = 'base = "recipe:tapes"\n[corpus]\naudio = "audio"\n'


def epochs(folder, text, *overrides):
    (folder / "ossicle.toml").write_text(PROJECT + text)
    return load_project(folder, overrides).settings.training.epochs


def test_a_preset_lies_over_the_recipe_and_under_its_own_table(tmp_path):
    recipe = epochs(tmp_path, "")
    assert epochs(tmp_path, "[training]\npreset = 'quick'\n") == 3 != recipe
    assert epochs(tmp_path, "[training]\npreset = 'quick'\nepochs = 5\n") == 5
    assert epochs(tmp_path, "[training]\nepochs = 5\n", "training.preset=long") == 120
    assert epochs(tmp_path, "[training]\npreset = 'long'\n", "training.epochs=7") == 7


def test_single_settings_override_a_preset_in_any_order_of_options(tmp_path):
    assert epochs(tmp_path, "", "training.preset=quick", "training.epochs=7") == 7
    assert epochs(tmp_path, "", "training.epochs=7", "training.preset=quick") == 7
    (tmp_path / "ossicle.toml").write_text('base = "recipe:units"\n[corpus]\naudio = "audio"\n')
    settings = load_project(tmp_path, ("vocoder.epochs=7", "vocoder.preset=small")).settings.vocoder
    assert (settings.preset, settings.epochs, settings.network.width) == ("small", 7, 128)


def test_an_unknown_preset_names_file_key_and_neighbour(tmp_path):
    with pytest.raises(ProjectError, match=r"ossicle.toml: \[training\] preset: .*did you mean 'quick'"):
        epochs(tmp_path, "[training]\npreset = 'quik'\n")
