"""Labels of whole recordings from several fields: of names, and of a table that overrides them."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.core.errors import UsageError
from ossicle.core.settings import digestible
from ossicle.corpus.indexing.corpus_index import CorpusIndex, index_corpus
from ossicle.corpus.indexing.index_storage import read_index, write_index
from ossicle.corpus.indexing.metadata_table import MetadataSettings
from ossicle.corpus.indexing.settings import CorpusSettings

RATE = 8000
TEMPLATE = "ac-{ac:on|off}-fridge-{fridge:on|off}-{daypart:day|night}"
FIELDS = {"ac": "on", "fridge": "ON"}


def index(
    folder: Path, names: list[str], table: str = "", overrides: bool = True, group: str = "daypart"
) -> CorpusIndex:
    (folder / "audio").mkdir()
    for number, name in enumerate(names):
        noise = np.random.default_rng(number).standard_normal(RATE) * 0.1
        soundfile.write(folder / "audio" / name, noise, RATE)
    if table:
        (folder / "names.csv").write_text(table)
    settings = CorpusSettings(
        audio="audio",
        decode=False,
        name_template=TEMPLATE,
        label_fields=FIELDS,
        metadata=MetadataSettings(table="names.csv" if table else "", label_column="", overrides=overrides),
    )
    names_table = folder / "names.csv" if table else None
    return index_corpus(folder / "audio", None, settings, group=group, metadata_table=names_table)


def labels(corpus_index: CorpusIndex) -> dict[str, tuple[list[str], list[str], bool]]:
    """The labels that are present and unknown in each recording, and whether it was reviewed."""
    return {
        recording.path: (
            [note.label for note in corpus_index.annotations if note.recording_id == recording.id],
            list(corpus_index.unknown.get(recording.id, ())),
            recording.reviewed,
        )
        for recording in corpus_index.recordings
    }


def test_each_field_is_a_label_of_the_whole_recording(tmp_path: Path) -> None:
    corpus_index = index(
        tmp_path, ["ac-on-fridge-on-day.wav", "ac-off-fridge-on-night.wav", "ac-off-fridge-off-day.wav"]
    )
    assert labels(corpus_index) == {
        "ac-off-fridge-off-day.wav": ([], [], True),
        "ac-off-fridge-on-night.wav": (["fridge"], [], True),
        "ac-on-fridge-on-day.wav": (["ac", "fridge"], [], True),
    }
    assert {(annotation.start_s, annotation.end_s) for annotation in corpus_index.annotations} == {(0.0, 1.0)}
    write_index(corpus_index, CorpusFolder(tmp_path / "index"))
    assert read_index(CorpusFolder(tmp_path / "index")) == corpus_index


def test_a_name_that_does_not_match_is_listed_with_the_place(tmp_path: Path) -> None:
    corpus_index = index(
        tmp_path, ["ac-on-fridge-on-day.wav", "ac-off-fridge-off-night.wav", "ac-off-frigde-on-day.wav"]
    )
    assert [left_out.path for left_out in corpus_index.left_out] == ["ac-off-frigde-on-day.wav"]
    assert "at character 11 there should be 'dge-'" in corpus_index.left_out[0].reason
    assert len(corpus_index.recordings) == 2


def test_without_a_group_in_the_name_it_is_noted_and_not_reviewed(tmp_path: Path) -> None:
    corpus_index = index(tmp_path, ["ac-on-fridge-on-day.wav", "odd.wav"], group="recording")
    assert labels(corpus_index)["odd.wav"] == ([], [], False)
    notes = [(note.where, note.message) for note in corpus_index.notes if note.kind == "name_template"]
    assert notes == [("odd.wav", f"does not match '{TEMPLATE}': at character 1 there should be 'ac-'")]


TABLE = """filename,ac,fridge,daypart
ac-on-fridge-on-day.wav,off,,night
odd.wav,OFF,on,day
half.wav,on,,day
ac-off-fridge-on-night.wav,,unknown,
"""
NAMES = ["ac-on-fridge-on-day.wav", "odd.wav", "half.wav", "ac-off-fridge-on-night.wav"]


def test_a_table_overrides_names_and_an_empty_value_is_unknown(tmp_path: Path) -> None:
    corpus_index = index(tmp_path, NAMES, TABLE)
    assert labels(corpus_index) == {
        "ac-off-fridge-on-night.wav": ([], ["fridge"], True),
        "ac-on-fridge-on-day.wav": (["fridge"], [], True),
        "half.wav": (["ac"], ["fridge"], True),
        "odd.wav": (["fridge"], [], True),
    }
    dayparts = {recording.path: recording.fields["daypart"] for recording in corpus_index.recordings}
    assert dayparts["ac-on-fridge-on-day.wav"] == "night"
    assert not corpus_index.left_out


def test_a_table_that_does_not_override_fills_what_names_lack(tmp_path: Path) -> None:
    found_labels = labels(index(tmp_path, NAMES, TABLE, overrides=False))
    assert found_labels["ac-on-fridge-on-day.wav"] == (["ac", "fridge"], [], True)
    assert found_labels["ac-off-fridge-on-night.wav"] == (["fridge"], [], True)
    assert found_labels["odd.wav"] == (["fridge"], [], True)


def test_a_label_field_that_no_recording_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"corpus\.label_fields\.ac: no file name yields the field 'ac'"):
        index(tmp_path, ["a.wav", "b.wav"], group="recording")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"label_field": "folder"}, "label_field = 'folder' both label recordings"),
        ({"metadata": MetadataSettings(table="t.csv")}, r"label_fields = .* and the table of \[corpus.metadata\] both"),
        ({"label_fields": {"ac": " "}}, "its value that means present"),
    ],
)
def test_two_sources_of_labels_are_refused(more: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CorpusSettings(**{"audio": "a", "label_fields": FIELDS, **more})  # type: ignore[arg-type]


def test_results_of_corpora_without_label_fields_stay_valid() -> None:
    assert "label_fields" not in digestible(CorpusSettings(audio="a"))
    assert "overrides" not in digestible(MetadataSettings())
    assert digestible(CorpusSettings(audio="a", label_fields=FIELDS))["label_fields"] == FIELDS


def test_other_words_for_on_count_and_those_for_neither_are_noted(tmp_path: Path) -> None:
    names = sorted(f"ac-{ac}-fridge-{fridge}-day.wav" for ac in ("on", "off") for fridge in ("on", "off"))
    names += sorted(name.replace("day", "night") for name in names[:2])
    cells = ("yes", "1.0", "An", "0", "?", "idle")
    table = "filename,fridge\n" + "".join(f"{name},{cell}\n" for name, cell in zip(names, cells, strict=True))
    corpus_index = index(tmp_path, names, table)
    states = {
        path: "on" if "fridge" in named else "?" if unknown else "off"
        for path, (named, unknown, _) in labels(corpus_index).items()
    }
    assert [states[name] for name in names] == ["on", "on", "on", "off", "?", "off"]
    noted = [(note.where, note.message) for note in corpus_index.notes if note.kind == "odd_state"]
    assert noted == [(names[5], f"{names[5]}: fridge = 'idle' is no word for off, and counts as absent")]
