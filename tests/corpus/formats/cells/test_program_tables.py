"""Tables of many programs: their headings are known."""

from pathlib import Path

import pytest

from ossicle.corpus.formats.event_csv import read_events

from ..recognised_tables import events

# Program, table, the expected rows (file, start, end, label), and more of the first row: low, high, score.
TABLES = {
    "crowsetta generic-seq": (
        "label,onset_s,offset_s,onset_sample,offset_sample,notated_path,annot_path,sequence,annotation\n"
        "a,1.0,2.0,8000,16000,x/a.wav,a.csv,0,0\nb,3.0,4.0,24000,32000,b.wav,b.csv,0,1\n",
        [("x/a.wav", 1.0, 2.0, "a"), ("b.wav", 3.0, 4.0, "b")],
        (None, None, None),
    ),
    "crowsetta simple-seq": ("onset_s,offset_s,label\n1,2,a\n", [("", 1.0, 2.0, "a")], (None, None, None)),
    "batdetect2": (
        "id,det_prob,start_time,end_time,high_freq,low_freq,class,class_prob\n"
        "0,0.64,1.1,1.12,52000,21000,Nyctalus noctula,0.61\n",
        [("", 1.1, 1.12, "Nyctalus noctula")],
        (21000.0, 52000.0, 0.61),
    ),
    "warbleR": (
        '"sound.files","channel","selec","start","end","bottom.freq","top.freq","species"\n'
        '"a.wav",1,1,1.5,2.5,2.5,8.25,"wren"\n"b.wav",1,1,0.5,1,2,9,"wren"\n',
        [("a.wav", 1.5, 2.5, "wren"), ("b.wav", 0.5, 1.0, "wren")],
        (2500.0, 8250.0, None),
    ),
    "Rraven, names of R": (
        "Selection,View,Channel,Begin.Time..s.,End.Time..s.,Low.Freq..Hz.,High.Freq..Hz.,Species,sound.files\n"
        "1,Spectrogram 1,1,1,2,100,200,wren,a.wav\n",
        [("a.wav", 1.0, 2.0, "wren")],
        (100.0, 200.0, None),
    ),
    "monitoR": (
        '"start.time","end.time","min.frq","max.frq","name"\n1,2,1.5,6,"wren"\n',
        [("", 1.0, 2.0, "wren")],
        (1500.0, 6000.0, None),
    ),
    "DAS": ("name,start_seconds,stop_seconds\nsine,1,2\n", [("", 1.0, 2.0, "sine")], (None, None, None)),
    "DeepSqueak": (
        "Label,Score,Begin Time (s),End Time (s),Low Freq (kHz),High Freq (kHz)\nUSV,0.9,1,2,40,60\n",
        [("", 1.0, 2.0, "USV")],
        (40000.0, 60000.0, 0.9),
    ),
    "Praat table": ("tmin\ttier\tlabel\ttmax\n1\tcalls\twren\t2\n", [("", 1.0, 2.0, "wren")], (None, None, None)),
    "Praat, TextGrid down to table": (
        "tmin\ttier\ttext\ttmax\n1\tcalls\twren\t2\n",
        [("", 1.0, 2.0, "wren")],
        (None, None, None),
    ),
    "ELAN, times in seconds": (
        "Tier\tBegin Time - ss.msec\tEnd Time - ss.msec\tAnnotation\nx\t1.25\t2.5\twren\n",
        [("", 1.25, 2.5, "wren")],
        (None, None, None),
    ),
    "soundscapes of Cornell": (
        "Filename,Start Time (s),End Time (s),Low Freq (Hz),High Freq (Hz),Species eBird Code\n"
        "a.flac,1,2,100,200,amecro\n",
        [("a.flac", 1.0, 2.0, "amecro")],
        (100.0, 200.0, None),
    ),
    "HawkEars": (
        "filename,start_time,end_time,class_name,class_code,score\na.wav,0,3,American Crow,AMCR,0.75\n",
        [("a.wav", 0.0, 3.0, "American Crow")],
        (None, None, 0.75),
    ),
    "opensoundscape boxes": (
        "audio_file,annotation_file,annotation,start_time,end_time,low_f,high_f\na.wav,a.txt,wren,1,2,100,200\n",
        [("a.wav", 1.0, 2.0, "wren")],
        (100.0, 200.0, None),
    ),
    "BirdNET for R": (
        "filepath,start,end,scientific_name,common_name,confidence\na.wav,0,3,T t,wren,0.5\n",
        [("a.wav", 0.0, 3.0, "wren")],
        (None, None, 0.5),
    ),
    "AudioSet": (
        "# Segments csv created Sun Mar  5 10:54:31 2017\n# num_ytids=2, num_segs=2, num_positive_labels=3\n"
        "# YTID, start_seconds, end_seconds, positive_labels\n"
        '--PJHxphWEs, 30.000, 40.000, "/m/09x0r,/t/dd00088"\n-0SdAVK79lg, 0.000, 10.000, "/m/0155w"\n',
        [("--PJHxphWEs", 30.0, 40.0, "/m/09x0r,/t/dd00088"), ("-0SdAVK79lg", 0.0, 10.0, "/m/0155w")],
        (None, None, None),
    ),
    "AudioSet, strong labels": (
        "segment_id\tstart_time_seconds\tend_time_seconds\tlabel\nb0RFKhbpFJA_30000\t1.131\t4.112\t/m/07r660_\n",
        [("b0RFKhbpFJA_30000", 1.131, 4.112, "/m/07r660_")],
        (None, None, None),
    ),
    "numbered segments of one recording": (
        "segment_id,start_time_seconds,end_time_seconds,label\n1,1,2,hum\n",
        [("", 1.0, 2.0, "hum")],
        (None, None, None),
    ),
    "named segments of one recording": (
        "segment_id,start_time_seconds,end_time_seconds,label\ntape_001,1,2,hum\ntape_002,3,4,hum\n",
        [("", 1.0, 2.0, "hum"), ("", 3.0, 4.0, "hum")],
        (None, None, None),
    ),
    "milliseconds": ("file,start (ms),end (ms),label\na.wav,500,1500,x\n", [("a.wav", 0.5, 1.5, "x")], (None,) * 3),
}


@pytest.mark.parametrize("program", TABLES)
def test_tables_of_programs(tmp_path: Path, program: str) -> None:
    text, rows, more = TABLES[program]
    path = tmp_path / "x.csv"
    path.write_text(text)
    raw_selections = events(path).rows
    assert [(row.begin_path, row.start_s, row.end_s, row.label) for row in raw_selections] == rows
    assert (raw_selections[0].low_hz, raw_selections[0].high_hz, raw_selections[0].confidence) == more


def test_soundscapes_of_birdclef_are_events(tmp_path: Path) -> None:
    table = tmp_path / "soundscapes.csv"
    table.write_text("filename,start,end,primary_label\na.ogg,0,5,wren\n", encoding="utf-8")
    assert [(row.begin_path, row.label) for row in read_events(table).rows] == [("a.ogg", "wren")]
