"""``ossicle new`` names tables that it cannot use, and takes a label for rows that have none."""

from pathlib import Path

import numpy as np
import pytest

from ossicle.app.project.load import load_project
from ossicle.app.project.scaffolding.scaffold import Wishes, scaffold
from ossicle.audio.wav import write_wav
from ossicle.core.errors import FormatError, SplitError, UsageError

RATE = 8000


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    (tmp_path / "tables").mkdir()
    (tmp_path / "audio").mkdir()
    for name in "abc":
        write_wav(tmp_path / "audio" / f"{name}.wav", np.zeros(4 * RATE, dtype=np.float32), RATE, "PCM_16")
    return tmp_path


def new(corpus: Path, **wishes: str) -> Path:
    options = Wishes(corpus / "audio", corpus / "tables", group="recording", **wishes)
    return scaffold("tapes", corpus / "project", options)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.TextGrid", r"a\.TextGrid is a TextGrid of Praat and was not read; save its content as a table"),
        ("calls.xlsx", r"calls\.xlsx is an Excel workbook and was not read; save each sheet as CSV"),
        ("calls.eaf", r"calls\.eaf is an ELAN file and was not read"),
    ],
)
def test_a_folder_of_another_program_is_named_as_what_it_is(corpus: Path, name: str, words: str) -> None:
    (corpus / "tables" / name).write_text("x")
    with pytest.raises(UsageError, match=f"contains no table for any of the 3 recordings .*{words}"):
        new(corpus)


def test_rows_without_a_label_get_the_default(corpus: Path) -> None:
    rows = "".join(f"{name}.wav,1,2,1,{k % 2}\n" for k, name in enumerate("abc"))
    (corpus / "tables/calls.csv").write_text("file,start_time,end_time,channel,checked\n" + rows)
    with pytest.raises(FormatError, match=r"no label column .*default_label"):
        new(corpus)
    project = load_project(new(corpus, default_label="call"))
    assert project.settings.corpus.default_label == "call"


@pytest.mark.parametrize("column", ["Call type", "4"])
def test_the_label_column_of_annotations_is_chosen(corpus: Path, column: str) -> None:
    for name in "abc":
        rows = "1\t1.0\t2.0\thum\n"
        (corpus / f"tables/{name}.Table.1.selections.txt").write_text(
            "Selection\tBegin Time (s)\tEnd Time (s)\tCall type\n" + rows
        )
    with pytest.raises(
        FormatError, match=r"found: .*Call type\); name it with --label-column \(\[corpus\] label_column\)"
    ):
        new(corpus)
    project = load_project(new(corpus, label_column=column))
    assert project.settings.corpus.label_column == column


def test_a_missing_label_column_of_annotations_is_named(corpus: Path) -> None:
    (corpus / "tables/calls.csv").write_text("file,start_time,end_time,label\na.wav,1,2,hum\nb.wav,1,2,hum\n")
    with pytest.raises(FormatError, match=r"there is no label column 'Ruf'; set --label-column .* to one of: file, "):
        new(corpus, label_column="Ruf")


def test_a_single_annotated_recording_is_named(corpus: Path) -> None:
    (corpus / "tables/calls.csv").write_text("file,start_time,end_time,label\nb.wav,1,2,hum\n")
    with pytest.raises(SplitError, match=r"only 'b.wav' of 3 recordings has annotations; annotate recordings of other"):
        new(corpus)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("calls.csv", "file,start_time,end_time,label\nA.WAV,1,2,hum\n"),
        ("A.Table.1.selections.txt", "Selection\tBegin Time (s)\tEnd Time (s)\tAnnotation\n1\t1\t2\thum\n"),
    ],
)
def test_a_table_whose_names_differ_in_case_is_explained(corpus: Path, name: str, text: str) -> None:
    (corpus / "tables" / name).write_text(text)
    with pytest.raises(UsageError, match=r"matches no recording .* \(there is 'a.wav': upper and lower case count"):
        new(corpus)


def test_headings_of_a_table_of_labels_are_found_in_any_spelling(corpus: Path) -> None:
    rows = "".join(f"{name}.wav,{label},s{label}\n" for name, label in zip("abc", "xyx", strict=True))
    (corpus / "train.csv").write_text("File Name,Primary Label,Site\n" + rows)
    options = Wishes(corpus / "audio", labels=str(corpus / "train.csv"), folds=2)
    settings = load_project(scaffold("birds", corpus / "birds", options)).settings
    assert settings.corpus.metadata.file_column == "File Name"
    assert settings.corpus.metadata.label_column == "Primary Label"
    assert settings.split.group == "Site"
