"""``ossicle new units``: only recordings are needed; words and groups come from tables, names or folders."""

from pathlib import Path

import pytest

from ossicle.app.project.load import load_project
from ossicle.app.project.scaffolding.unit_scaffold import UnitWishes, finds_units, scaffold_units
from ossicle.core.errors import UsageError

from ....made_up.speech_like import write_speech


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_speech(tmp_path_factory.mktemp("speech"), words=4)


def test_only_recordings_are_needed(home: Path, tmp_path: Path) -> None:
    result: list[str] = []
    other = tmp_path / "audio"
    other.mkdir()
    (other / "a.wav").write_bytes((home / "audio" / "speaker0_0.wav").read_bytes())
    settings = load_project(scaffold_units("units", tmp_path / "p", UnitWishes(other), say=result.append)).settings
    assert (settings.project.pipeline, settings.corpus.annotations, settings.split.group) == ("units", "", "recording")
    assert result == [
        "group: each recording by itself; name the speakers with --group speaker and --name-template or --groups"
    ]


def test_words_and_a_template_name_what_judges(home: Path, tmp_path: Path) -> None:
    wishes = UnitWishes(home / "audio", home / "words.tsv", "who", ("{who}_*",))
    settings = load_project(scaffold_units("units", tmp_path, wishes)).settings
    assert (tmp_path / settings.corpus.annotations).resolve() == home / "words.tsv"
    assert (settings.split.group, settings.corpus.name_template) == ("who", "{who}_*")


def test_the_speaker_is_found_in_names_that_say_it(home: Path, tmp_path: Path) -> None:
    settings = load_project(scaffold_units("units", tmp_path, UnitWishes(home / "audio"))).settings
    assert settings.split.group == "speaker"
    assert "{speaker}" in settings.corpus.name_template


def test_folders_of_recordings_are_groups(home: Path, tmp_path: Path) -> None:
    for name in ("anna", "ben"):
        (tmp_path / "audio" / name).mkdir(parents=True)
        (tmp_path / "audio" / name / "1.wav").write_bytes((home / "audio" / "speaker0_0.wav").read_bytes())
    result: list[str] = []
    file = scaffold_units("units", tmp_path / "p", UnitWishes(tmp_path / "audio"), say=result.append)
    assert load_project(file).settings.split.group == "folder"
    assert result == ["group: the 2 folders of the recordings; choose another one with --group"]


def test_a_table_of_groups_names_the_speakers(home: Path, tmp_path: Path) -> None:
    (tmp_path / "who.csv").write_text("file,Speaker\nspeaker0_0.wav,anna\nspeaker1_0.wav,ben\n")
    wishes = UnitWishes(home / "audio", groups=tmp_path / "who.csv")
    settings = load_project(scaffold_units("units", tmp_path / "p", wishes)).settings
    assert (settings.split.group, settings.corpus.metadata.file_column) == ("Speaker", "file")
    assert settings.corpus.metadata.label_column == ""


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"audio": Path("nowhere")}, "--audio nowhere: does not exist; give a folder"),
        ({"words_table": Path("nowhere.tsv")}, r"--words nowhere\.tsv: does not exist; give a table"),
        ({"group": "village"}, "--group village: no such field in file names like 'speaker0_0'; say where it is with"),
        ({"group": "village", "name_template": ("{speaker}_*",)}, "--group village: the name template has no such"),
    ],
)
def test_what_is_missing_is_named(home: Path, tmp_path: Path, wishes: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        scaffold_units("units", tmp_path / "p", UnitWishes(**{"audio": home / "audio", **wishes}))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.ctm", "a 1 0.1 0.2 wa 1.0\n", "CTM file: save its content as a table .* its times are start and duration"),
        ("a.TextGrid", "File type\n", "TextGrid of Praat: save its content as a table"),
        ("a.eaf", "<x/>", "ELAN file: export it as tab-delimited text"),
        ("a.csv", "file,start,duration,word\n", "no column for start and end .*start plus duration"),
    ],
)
def test_words_of_other_programs_are_refused_with_what_to_do(
    home: Path, tmp_path: Path, name: str, text: str, message: str
) -> None:
    """A folder of TextGrids "did not exist", and the first row of a CTM file was its headings."""
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / name).write_text(text)
    with pytest.raises(UsageError, match=message):
        scaffold_units("units", tmp_path / "p", UnitWishes(home / "audio", words_table=tmp_path / "words" / name))
    with pytest.raises(UsageError, match=r"is a folder; give one table of all recordings with the columns file"):
        scaffold_units("units", tmp_path / "p", UnitWishes(home / "audio", words_table=tmp_path / "words"))


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("file,start_s,end_s", "the word"),
        ("start_s,end_s,word", "the recording"),
        ("file,word", "start and end"),
    ],
)
def test_a_table_of_words_without_a_column_is_refused(home: Path, tmp_path: Path, header: str, missing: str) -> None:
    (tmp_path / "words.csv").write_text(f"{header}\n")
    with pytest.raises(UsageError, match=rf"--words .*words\.csv: no column for {missing}"):
        scaffold_units("units", tmp_path / "p", UnitWishes(home / "audio", tmp_path / "words.csv"))


def test_recipes_with_the_pipeline_find_units() -> None:
    assert [finds_units(name) for name in ("units", "tapes", "unheard of")] == [True, False, False]
