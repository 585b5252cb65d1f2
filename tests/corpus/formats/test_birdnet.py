"""BirdNET-Analyzer's output types, with the columns of its versions 1 to 3."""

from pathlib import Path

import polars as pl
import pytest

from ossicle.corpus.formats.birdnet import read_birdnet
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.kaleidoscope import read_kaleidoscope, write_kaleidoscope
from ossicle.corpus.formats.registry import guess

FIRST = RawSelection(0.0, 3.0, "Eurasian Blackbird", confidence=0.8123, begin_path="/data/site1/rec1.wav")
SECOND = RawSelection(3.0, 6.0, "Common Loon", confidence=0.4411, begin_path="/data/site1/rec2.wav")
RAVEN = (
    "Selection\tBegin Time (s)\tEnd Time (s)\tCommon Name\tScientific Name\tSpecies Code\tConfidence\tView\tChannel\t"
    "File Offset (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tBegin Path\n"
    "1\t0.0\t3.0\tEurasian Blackbird\tTurdus merula\teurbla\t0.8123\tSpectrogram 1\t1\t0.0\t0\t15000\t"
    "/data/site1/rec1.wav\n"
    "2\t63.0\t66.0\tCommon Loon\tGavia immer\tcomloo\t0.4411\tSpectrogram 1\t1\t3.0\t0\t15000\t/data/site1/rec2.wav\n"
)
CSV = (
    "Start (s),End (s),Scientific name,Common name,Confidence,File,lat,lon\n"
    "0.0,3.0,Turdus merula,Eurasian Blackbird,0.8123,/data/site1/rec1.wav,50.1,7.2\n"
    "3.0,6.0,Gavia immer,Common Loon,0.4411,/data/site1/rec2.wav,50.1,7.2\n"
)
R = (
    "filepath,start,end,scientific_name,common_name,confidence,lat,lon,week,overlap,sensitivity,min_conf,species_list,model\n"
    "/data/site1/rec1.wav,0.0,3.0,Turdus merula,Eurasian Blackbird,0.8123,-1,-1,-1,0,1,0.1,,m\n"
    "/data/site1/rec2.wav,3.0,6.0,Gavia immer,Common Loon,0.4411,-1,-1,-1,0,1,0.1,,m\n"
)
KALEIDOSCOPE_3 = (
    "OFFSET,confidence,INDIR,FOLDER,IN FILE,DURATION,TOP1MATCH\n"
    "0.0,0.8123,/data,site1,rec1.wav,3.0,Eurasian Blackbird\n"
    "3.0,0.4411,/data,site1,rec2.wav,3.0,Common Loon\n"
)
KALEIDOSCOPE_2 = (
    "INDIR,FOLDER,IN FILE,OFFSET,DURATION,TOP1MATCH,TOP1DIST\n"
    "/data,site1,rec1.wav,0.0,3.0,Eurasian Blackbird,0.8123\n"
    "/data,site1,rec2.wav,3.0,3.0,Common Loon,0.4411\n"
)
KALEIDOSCOPE_1 = (
    "INDIR,FOLDER,IN FILE,OFFSET,DURATION,scientific_name,common_name,confidence,lat\n"
    "/data,site1,rec1.wav,0.0,3.0,Turdus merula,Eurasian Blackbird,0.8123,-1\n"
    "/data,site1,rec2.wav,3.0,3.0,Gavia immer,Common Loon,0.4411,-1\n"
)


@pytest.mark.parametrize(
    ("name", "text", "known"),
    [
        ("BirdNET_SelectionTable.txt", RAVEN, "birdnet"),
        ("BirdNET_CombinedTable.csv", CSV, "birdnet"),
        ("r.csv", R, None),
        ("k3.csv", KALEIDOSCOPE_3, "kaleidoscope"),
        ("k2.csv", KALEIDOSCOPE_2, "kaleidoscope"),
        ("k1.csv", KALEIDOSCOPE_1, "kaleidoscope"),
    ],
)
def test_every_type_says_the_same(tmp_path: Path, name: str, text: str, known: str | None) -> None:
    path = tmp_path / name
    path.write_text(text)
    rows = [
        RawSelection(row.start_s, row.end_s, row.label, confidence=row.confidence, begin_path=row.begin_path)
        for row in read_birdnet(path).rows
    ]
    assert rows == [FIRST, SECOND]
    if known is not None:
        result = guess(path)
        assert result is not None
        assert result.name == known


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "BirdNET_CombinedTable.parquet"
    pl.DataFrame(
        {
            "Start (s)": [0.0, 3.0],
            "End (s)": [3.0, 6.0],
            "Scientific name": ["Turdus merula", "Gavia immer"],
            "Common name": ["Eurasian Blackbird", "Common Loon"],
            "Confidence": [0.8123, 0.4411],
            "File": [FIRST.begin_path, SECOND.begin_path],
        }
    ).write_parquet(path)
    assert read_birdnet(path).rows == (FIRST, SECOND)
    result = guess(path)
    assert result is not None
    assert result.name == "birdnet"


def test_labels_of_audacity_are_split_and_the_scientific_name_may_be_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "rec1.BirdNET.results.txt"
    path.write_text("0.0\t3.0\tTurdus merula_Eurasian Blackbird\t0.8123\n3.0\t6.0\tGavia immer, Common Loon\t0.4411\n")
    assert [row.label for row in read_birdnet(path).rows] == ["Eurasian Blackbird", "Common Loon"]
    assert [row.label for row in read_birdnet(path, label_column="Scientific name").rows] == [
        "Turdus merula",
        "Gavia immer",
    ]
    table = tmp_path / "BirdNET_CombinedTable.csv"
    table.write_text(CSV)
    assert [row.label for row in read_birdnet(table, label_column="Scientific name").rows] == [
        "Turdus merula",
        "Gavia immer",
    ]


def test_nocall_is_a_reviewed_recording(tmp_path: Path) -> None:
    path = tmp_path / "x.BirdNET.selection.table.txt"
    header = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tCommon Name\tSpecies Code\tConfidence\t"
    path.write_text(
        f"{header}Begin Path\tFile Offset (s)\n1\tSpectrogram 1\t1\t0\t3\tnocall\tnocall\t1.0\t/data/x.wav\t0\n"
    )
    table = read_birdnet(path)
    assert (table.rows, table.files) == ((), ("/data/x.wav",))


def test_columns_that_no_event_holds_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "BirdNET_CombinedTable.csv"
    path.write_text(CSV)
    assert read_birdnet(path).unread == {"Scientific name": 2, "lat": 2, "lon": 2}
    path.with_suffix(".txt").write_text(RAVEN)
    assert read_birdnet(path.with_suffix(".txt")).unread == {"Scientific Name": 2, "Species Code": 2}


def test_a_distance_of_kaleidoscope_is_no_score(tmp_path: Path) -> None:
    path = tmp_path / "k2.csv"
    path.write_text(KALEIDOSCOPE_2)
    table = read_kaleidoscope(path)
    assert [row.confidence for row in table.rows] == [None, None]
    assert table.unread == {"TOP1DIST": 2}
    path.write_text("INDIR,FOLDER,IN FILE,OFFSET,DURATION,TOP1MATCH,MANUAL ID\n,a\\b,x.wav,1,2,auto,Wren\n")
    rows = read_kaleidoscope(path, label_column="manual id").rows
    assert rows == (RawSelection(1, 3, "Wren", begin_path="a\\b/x.wav"),)


def test_kaleidoscope_round_trip(tmp_path: Path) -> None:
    rows = (
        RawSelection(0.5, 1.25, "=wren, the", confidence=0.25, begin_path="-a/b/x.wav"),
        RawSelection(2.0, 2.0, "ünï", begin_path="y.wav"),
    )
    write_kaleidoscope(tmp_path / "k.csv", rows)
    assert read_kaleidoscope(tmp_path / "k.csv").rows == rows
