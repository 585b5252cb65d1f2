"""Golden files of other programs' readers and writers that cannot be installed beside Ossicle.

They run in an environment of their own, never in the tests:

    python3.11 -m venv VENV && VENV/bin/pip install opensoundscape==0.13.2 sed_scores_eval==0.0.4
    VENV/bin/python tests/golden/make_formats.py

Reads the files ``ours_*``, to which ``tests/corpus/formats/test_golden_formats.py`` holds Ossicle, and leaves what the
others understood of them as ``read_*.json``, and what the others write themselves as ``opensoundscape_*`` and
``sed_scores_eval_*``.
"""

import importlib
import importlib.util
import json
import sys
import types
from pathlib import Path

import pandas as pd

HERE = Path(__file__).resolve().parent / "formats"


def opensoundscape_annotations() -> types.ModuleType:
    """Its module of annotations alone: the package itself would load torch."""
    spec = importlib.util.find_spec("opensoundscape")
    if spec is None or spec.submodule_search_locations is None:
        sys.exit("install opensoundscape first")
    package = types.ModuleType("opensoundscape")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["opensoundscape"] = package
    return importlib.import_module("opensoundscape.annotations")


def windows(frame: pd.DataFrame) -> list[list[object]]:
    """Rows of a table of windows: file, start, end, and the values by class."""
    return [
        [str(file), float(start), float(end), {str(name): float(value) for name, value in row.items()}]
        for (file, start, end), row in frame.iterrows()
    ]


def main() -> None:
    """Write all golden files that are not ours."""
    annotations = opensoundscape_annotations()
    read: dict[str, object] = {}
    index = ["file", "start_time", "end_time"]
    wide = pd.read_csv(HERE / "ours_windows.csv", index_col=[0, 1, 2])
    # Their own class takes our table as it is.
    read["windows"] = windows(annotations.CategoricalLabels.from_multihot_df(wide).multihot_df(sparse=False))
    assert list(wide.index.names) == index
    boxes = annotations.BoxedAnnotations.from_raven_files(
        [str(HERE / "ours_raven.txt")], annotation_column="Annotation", audio_files=["a.wav"]
    )
    columns = ["start_time", "end_time", "annotation", "low_f", "high_f"]
    read["raven"] = boxes.df[columns].values.tolist()
    events = pd.DataFrame(
        {
            "audio_file": ["a.wav", "a.wav", "b/b.wav"],
            "annotation": ["wren", "ünï call", "wren"],
            "start_time": [0.5, 2.75, 1.0],
            "end_time": [1.25, 3.4, 7.5],
            "low_f": [1000.0, None, 500.0],
            "high_f": [4000.0, None, 2500.5],
        }
    )
    made = annotations.BoxedAnnotations(events, audio_files=["a.wav", "b/b.wav"], annotation_files=["x", "y"])
    made.to_csv(HERE / "opensoundscape_boxes.csv")
    labels = made.clip_labels(
        clip_duration=3.0,
        clip_step=1.5,
        min_label_overlap=0.25,
        full_duration=[7.0, 8.0],
        final_clip="extend",
        class_subset=["wren", "ünï call"],
    )
    labels.to_csv(HERE / "opensoundscape_windows.csv")
    (HERE / "read_opensoundscape.json").write_text(json.dumps(read, indent=1, ensure_ascii=False) + "\n")

    import sed_scores_eval
    from sed_scores_eval.base_modules import io, scores

    understood: dict[str, object] = {"events": io.read_ground_truth_events(HERE / "ours_dcase.tsv")}
    understood["durations"] = io.read_audio_durations(HERE / "ours_durations.tsv")
    frame = io.read_sed_scores(HERE / "ours_scores.tsv")
    understood["scores"] = {"columns": list(frame.columns), "rows": frame.values.tolist()}
    (HERE / "read_sed_scores_eval.json").write_text(json.dumps(understood, indent=1, ensure_ascii=False) + "\n")
    made_scores = scores.create_score_dataframe(
        pd.DataFrame([[0.1, 0.9], [0.25, 1e-7], [1 / 3, 0.5]]).values,
        [0.0, 0.02, 0.04, 0.06],
        ["wren", "ünï call"],
    )
    io.write_sed_scores(made_scores, HERE / "sed_scores_eval_scores.tsv")
    print(sed_scores_eval.__name__, "and", annotations.__name__, "left their files in", HERE.name)


if __name__ == "__main__":
    main()
