"""Who wrote a setting is a value: no name that a stranger chooses makes it the user's."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.app.project.layers import Origin, read_layers
from ossicle.app.project.load import load_project
from ossicle.core.errors import ProjectError

pytestmark = pytest.mark.filterwarnings("ignore::ossicle.app.project.local_file.LocalFileWarning")

GOOD = 'base = "recipe:tapes"\n[corpus]\naudio = "audio"\n'
ELSEWHERE = '[project]\ndata_root = "/elsewhere"\n'
SHELL = '[jobs]\nsetup = ["touch x"]\n'
FETCH = '[fetch]\nfolder = "/elsewhere"\n'
REFUSED = {
    ELSEWHERE: r"\[project\] data_root = '/elsewhere': this folder is not below the folder of the project file",
    SHELL: r"\[jobs\] setup: a shell runs these lines",
    FETCH: r"\[fetch\] folder = '/elsewhere': this folder is not below the folder of the project file",
}
# Names of bases that look like what the user types, in every way that a message shows it.
SPOOFED = ("--set a.toml", "--set", "--set x=1.toml", "ossicle.local.toml.toml", "./ossicle.local.toml", "variant x")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("OSSICLE_DATA_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("table", REFUSED)
@pytest.mark.parametrize("name", SPOOFED)
@pytest.mark.parametrize("place", [Path("ossicle.toml"), Path(".")])
def test_a_base_with_a_name_like_an_option_is_still_a_strangers(
    folder: Path, name: str, table: str, place: Path
) -> None:
    if name == "./ossicle.local.toml":
        # A stranger's base in a folder of its own, with the name of the user's file.
        name = "below/ossicle.local.toml"
        (folder / "below").mkdir()
    (folder / name).write_text(GOOD + table)
    (folder / "ossicle.toml").write_text(f"base = {name!r}\n")
    with pytest.raises(ProjectError, match=REFUSED[table]):
        load_project(place)


@given(
    st.text(st.characters(exclude_characters="/\0'\\", exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]), min_size=1)
)
def test_no_name_makes_an_origin_the_users(name: str) -> None:
    assert not Origin(f"--set {name}").by_user
    assert not Origin(name).by_user


@pytest.mark.parametrize("table", REFUSED)
def test_a_variant_of_a_project_file_is_a_strangers(folder: Path, table: str) -> None:
    head, _, rest = table.partition("]")
    (folder / "ossicle.toml").write_text(f"{GOOD}[variants.'--set x']\n")
    with pytest.raises(ProjectError, match="is not a plain name"):
        load_project(folder)
    (folder / "ossicle.toml").write_text(f"{GOOD}[variants.x{head.replace('[', '.')}]{rest}")
    with pytest.raises(ProjectError, match=REFUSED[table]):
        load_project(folder, (), None, "x")


@pytest.mark.parametrize("table", REFUSED)
def test_the_user_may_write_them(folder: Path, table: str) -> None:
    (folder / "ossicle.toml").write_text(GOOD + "[variants.x.training]\nepochs = 3\n")
    (folder / "ossicle.local.toml").write_text(table)
    load_project(folder)
    head, _, rest = table.partition("]")
    (folder / "ossicle.local.toml").write_text(f"[variants.y{head.replace('[', '.')}]{rest}")
    load_project(folder, (), None, "y")
    # A variant that both wrote is not the user's alone.
    (folder / "ossicle.local.toml").write_text("[variants.x.training]\nepochs = 2\n")
    (folder / "ossicle.toml").write_text(f"{GOOD}[variants.x{head.replace('[', '.')}]{rest}")
    with pytest.raises(ProjectError, match=REFUSED[table]):
        load_project(folder, (), None, "x")


def test_who_wrote_a_setting_is_recorded(folder: Path) -> None:
    (folder / "ossicle.toml").write_text(GOOD + "[training]\nepochs = 3\n")
    (folder / "ossicle.local.toml").write_text("[training]\nbatch_size = 2\n")
    layers = read_layers(folder / "ossicle.toml")
    assert not layers.by_user(("training", "epochs"))
    assert layers.by_user(("training", "batch_size"))
    assert not layers.by_user(("training",))
    assert layers.origin(("training", "batch_size")) == Origin(str(folder / "ossicle.local.toml"), by_user=True)
