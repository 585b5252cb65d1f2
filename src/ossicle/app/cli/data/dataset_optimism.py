"""``ossicle dataset optimism``: measure how much a split flatters."""

import math

from ossicle.app.cli.options import (
    HERE,
    AudioRootMap,
    DataRoot,
    Device,
    Json,
    ProgressKind,
    ProjectFile,
    Set,
    Variant,
    overrides_of,
)
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.table import print_rows


def optimism(
    project: ProjectFile = HERE,
    variant: Variant = "",
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    device: Device = "",
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Measure how much a leaky split overstates the figures: compare it with the grouped split, clip by clip.

    Trains missing models: one for the project's split, and one for each group (or fold) of the grouped split. The
    figures are for single clips, not for events in recordings: average precision, ROC AUC, and F1 and accuracy at a
    threshold chosen on other clips. They are given for the clips that both splits test, and for all clips.
    """
    from ossicle.app.project.load import load_project
    from ossicle.app.steps.compare.split_optimism import optimism as figures
    from ossicle.app.steps.engine.progress import make_progress

    with make_progress(progress) as shown:
        results = figures(
            load_project(project, overrides_of(set_, device, roots=audio_root_map), data_root, variant), shown
        )
    if as_json:
        listed = [
            {
                "strategy": split_figures.strategy,
                "clips": split_figures.clips,
                "leaky": split_figures.leaky,
                "labels": {label: figures.to_json() for label, figures in split_figures.labels.items()},
            }
            for split_figures in results
        ]
        print(json_text(listed))
        return
    rows = []
    for split_figures in results:
        for label, label_figures in split_figures.labels.items():
            counts = (str(label_figures.n_positive), str(label_figures.n_negative))
            shown_figures = (
                label_figures.average_precision,
                label_figures.roc_auc,
                label_figures.f1,
                label_figures.accuracy,
            )
            rows.append((split_figures.strategy, split_figures.clips, label, *counts, *map(_figure, shown_figures)))
    print_rows(("split", "clips", "label", "positive", "negative", "AP", "ROC AUC", "F1", "accuracy"), rows)
    for split_result in results:
        if split_result.leaky:
            print(printable(str(split_result.leaky)))


def _figure(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"
