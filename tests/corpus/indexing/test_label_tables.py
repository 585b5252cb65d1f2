"""Tables of labels as R, spreadsheets and people write them: missing values, and several labels in one cell."""

from pathlib import Path

import pytest
import soundfile

from ossicle.core.errors import FormatError
from ossicle.corpus.health.report import health
from ossicle.corpus.indexing.corpus_index import CorpusIndex, index_corpus
from ossicle.corpus.indexing.metadata_table import MetadataSettings
from ossicle.corpus.indexing.settings import CorpusSettings

RATE = 8000
MARKS = ("NA", "N/A", "NaN", "nan", "<NA>", "#N/A", "NULL", "null")


def index(folder: Path, text: str, files: int, **corpus: object) -> CorpusIndex:
    (folder / "audio").mkdir(exist_ok=True)
    for k in range(files):
        soundfile.write(folder / "audio" / f"XC{k}.wav", [0.1, -0.1] * (RATE + k), RATE)
    table = folder / "train.csv"
    table.write_text(text, encoding="utf-8")
    settings = CorpusSettings(audio="audio", decode=False, metadata=MetadataSettings(table="train.csv"), **corpus)  # type: ignore[arg-type]
    return index_corpus(folder / "audio", None, settings, group="author", metadata_table=table)


def labels(corpus_index: CorpusIndex) -> list[tuple[str, str]]:
    paths = {recording.id: recording.path for recording in corpus_index.recordings}
    return sorted((paths[annotation.recording_id], annotation.label) for annotation in corpus_index.annotations)


def test_missing_authors_are_not_one_author(tmp_path: Path) -> None:
    rows = "".join(f"XC{k}.wav,wren,{mark},{mark},{mark}\n" for k, mark in enumerate(MARKS))
    corpus_index = index(tmp_path, f"filename,primary_label,secondary_labels,author,rating\n{rows}", len(MARKS))
    assert [recording.fields["author"] for recording in corpus_index.recordings] == [
        f"XC{k}.wav" for k in range(len(MARKS))
    ]
    assert not any("rating" in recording.fields for recording in corpus_index.recordings)
    assert {label for _, label in labels(corpus_index)} == {"wren"}


@pytest.mark.parametrize("mark", ["NA", "NaN", "<NA>", "#N/A", "N/A"])
def test_a_missing_label_is_no_class(tmp_path: Path, mark: str) -> None:
    text = f"filename,primary_label,author\nXC0.wav,wren,a\nXC1.wav,{mark},b\n"
    with pytest.raises(FormatError, match=rf"line 3: 'primary_label' is {mark!r}, a missing value; write nocall"):
        index(tmp_path, text, 2)


def test_a_list_in_the_label_column_is_several_labels(tmp_path: Path) -> None:
    corpus_index = index(tmp_path, "filename,primary_label,author\nXC0.wav,\"['wren', 'crow']\",a\nXC1.wav,wren,b\n", 2)
    assert labels(corpus_index) == [("XC0.wav", "crow"), ("XC0.wav", "wren"), ("XC1.wav", "wren")]


def test_labels_with_a_separator_are_several(tmp_path: Path) -> None:
    text = "filename,primary_label,secondary_labels,author\nXC0.wav,wren; crow,rain;wind,a\nXC1.wav,wren,[],b\n"
    text += 'XC2.wav,nocall,"[""rain""]",c\nXC3.wav,nocall,,c\n'
    corpus_index = index(tmp_path, text, 4, label_separator=";", label_map=("wind=gale",))
    zero = [("XC0.wav", label) for label in ("crow", "gale", "rain", "wren")]
    assert labels(corpus_index) == [*zero, ("XC1.wav", "wren"), ("XC2.wav", "rain")]
    assert [recording.reviewed for recording in corpus_index.recordings] == [True] * 4


def test_labels_that_look_like_several_are_named(tmp_path: Path) -> None:
    cells = ["wren;rain", "wren", "crow", "wren crow", '"Owl, Barn"', '"bark,dog"', "black-and-white warbler"]
    rows = "".join(f"XC{k}.wav,{cell},a{k}\n" for k, cell in enumerate(cells))
    report = health(index(tmp_path, f"filename,primary_label,author\n{rows}", len(cells)), rate=RATE, group="author")
    remedies = {problem.where: problem for problem in report.problems if problem.code == "label_list"}
    assert set(remedies) == {"wren;rain", "wren crow", "bark,dog"}
    assert "'wren;rain' (1)" in remedies["wren;rain"].message
    assert "corpus.label_separator = ';'" in remedies["wren;rain"].remedy
    assert not [problem for problem in report.problems if problem.code == "label_nothing"]


def test_a_separator_divides_the_labels_of_events_too(tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    soundfile.write(tmp_path / "audio" / "a.wav", [0.1, -0.1] * RATE, RATE)
    (tmp_path / "events.csv").write_text("file,start_time,end_time,label\na.wav,0.5,1,wren|crow\n", encoding="utf-8")
    settings = CorpusSettings(audio="audio", annotations="events.csv", label_separator="|")
    corpus_index = index_corpus(tmp_path / "audio", tmp_path / "events.csv", settings, group="recording")
    assert [(annotation.start_s, annotation.label) for annotation in corpus_index.annotations] == [
        (0.5, "crow"),
        (0.5, "wren"),
    ]


def test_a_list_of_labels_of_an_event_is_divided_by_any_separator(tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    soundfile.write(tmp_path / "audio" / "a.wav", [0.1, -0.1] * RATE, RATE)
    text = "file,start_time,end_time,label\na.wav,0.5,1,\"['wren', 'crow']\"\na.wav,1.2,1.5,wren\n"
    (tmp_path / "events.csv").write_text(text, encoding="utf-8")
    settings = CorpusSettings(audio="audio", annotations="events.csv")
    found = index_corpus(tmp_path / "audio", tmp_path / "events.csv", settings, group="recording")
    (problem,) = [one for one in health(found, rate=RATE, group="recording").problems if one.code == "label_list"]
    assert "corpus.label_separator = ','" in problem.remedy
    settings = CorpusSettings(audio="audio", annotations="events.csv", label_separator=",")
    found = index_corpus(tmp_path / "audio", tmp_path / "events.csv", settings, group="recording")
    assert found.annotations.label_counts() == {"wren": 2, "crow": 1}


def test_lists_of_one_label_repeats_or_none_lose_and_double_no_event(tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    soundfile.write(tmp_path / "audio" / "a.wav", [0.1, -0.1] * RATE, RATE)
    cells = ["\"['wren']\"", "\"['crow', 'crow']\"", "[]", "\"['']\"", "; ;"]
    rows = "".join(f"a.wav,{k / 10},{k / 10 + 0.05},{cell}\n" for k, cell in enumerate(cells))
    (tmp_path / "events.csv").write_text(f"file,start_time,end_time,label\n{rows}", encoding="utf-8")
    named, counts = {}, {}
    for separator in ("", ",", ";"):
        settings = CorpusSettings(audio="audio", annotations="events.csv", label_separator=separator)
        found = index_corpus(tmp_path / "audio", tmp_path / "events.csv", settings, group="recording")
        counts[separator] = found.annotations.label_counts()
        problems = health(found, rate=RATE, group="recording").problems
        named[separator] = {(one.code, one.where) for one in problems if one.code in ("label_list", "label_nothing")}
    empty = {("label_nothing", label) for label in ("[]", "['']", "; ;")}
    assert named == {"": {("label_list", "['crow', 'crow']"), *empty}, ",": empty, ";": empty}
    whole = dict.fromkeys(["[]", "['']", "; ;"], 1)
    assert counts[""] == {"['wren']": 1, "['crow', 'crow']": 1, **whole}
    assert counts[","] == counts[";"] == {"wren": 1, "crow": 1, **whole}


def test_a_list_of_one_label_is_named_as_a_list(tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    soundfile.write(tmp_path / "audio" / "a.wav", [0.1, -0.1] * RATE, RATE)
    text = "file,start_time,end_time,label\na.wav,0.1,0.2,['wren']\na.wav,0.5,0.6,wren\n"
    (tmp_path / "events.csv").write_text(text, encoding="utf-8")
    settings = CorpusSettings(audio="audio", annotations="events.csv")
    found = index_corpus(tmp_path / "audio", tmp_path / "events.csv", settings, group="recording")
    (problem,) = [one for one in health(found, rate=RATE).problems if one.code == "label_list"]
    assert (problem.where, "corpus.label_separator = ','" in problem.remedy) == ("['wren']", True)


@pytest.mark.parametrize(
    "word", ["noise", "NoCall", "none", "no_bird", "N/a", "?", "Unknown", "NoID", "unk", "NEG", "????", "-", "--"]
)
def test_events_that_say_nothing_are_named(tmp_path: Path, word: str) -> None:
    (tmp_path / "audio").mkdir()
    soundfile.write(tmp_path / "audio" / "a.wav", [0.1, -0.1] * RATE, RATE)
    text = f"file,start_time,end_time,label\na.wav,0.5,1,{word}\na.wav,1.2,1.5,wren\n"
    (tmp_path / "events.csv").write_text(text, encoding="utf-8")
    settings = CorpusSettings(audio="audio", annotations="events.csv")
    corpus_index = index_corpus(tmp_path / "audio", tmp_path / "events.csv", settings, group="recording")
    problems = [
        problem
        for problem in health(corpus_index, rate=RATE, group="recording").problems
        if problem.code == "label_nothing"
    ]
    assert [problem.where for problem in problems] == [word]
    assert "corpus.labels" in problems[0].remedy


def test_words_of_whole_recordings_that_say_nothing_are_named_unless_chosen(tmp_path: Path) -> None:
    text = "filename,primary_label,author\nXC0.wav,none,a\nXC1.wav,other,b\nXC2.wav,wren,c\n"
    report = health(index(tmp_path, text, 3, negative_labels=("nocall",)), rate=RATE, group="author")
    assert [problem.where for problem in report.problems if problem.code == "label_nothing"] == ["none"]
