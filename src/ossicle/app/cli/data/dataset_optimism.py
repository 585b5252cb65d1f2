"""``ossicle dataset optimism``: what a split flatters."""

import json
import math

from ossicle.app.cli.options import DataRoot, Device, Json, ProgressKind, ProjectFile, Set, Variant, overrides_of
from ossicle.app.cli.run.project import HERE
from ossicle.app.cli.table import print_rows
from ossicle.app.project.load import load_project


def optimism(
    project: ProjectFile = HERE,
    variant: Variant = "",
    set_: Set = None,
    device: Device = "",
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Lay the clip figures of the project's split beside those of the grouped one, on the same clips and on all.

    Trains what is not trained yet: one model for the project's split, one for each group (or fold) for the grouped.
    Figures are of single clips, not of events on tapes: average precision, ROC AUC, and F1 and accuracy under a
    threshold that other clips chose.
    """
    from ossicle.app.steps.compare.split_optimism import optimism as figures
    from ossicle.app.steps.engine.progress import make_progress

    with make_progress(progress) as shown:
        found = figures(load_project(project, overrides_of(set_, device), data_root, variant), shown)
    if as_json:
        told = [
            {
                "strategy": one.strategy,
                "clips": one.clips,
                "leaky": one.leaky,
                "labels": {label: figures.to_json() for label, figures in one.labels.items()},
            }
            for one in found
        ]
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return
    rows = []
    for one in found:
        for label, of in one.labels.items():
            counts = (str(of.n_positive), str(of.n_negative))
            shown_figures = (of.average_precision, of.roc_auc, of.f1, of.accuracy)
            rows.append((one.strategy, one.clips, label, *counts, *map(_figure, shown_figures)))
    print_rows(("split", "clips", "label", "positive", "negative", "AP", "ROC AUC", "F1", "accuracy"), rows)
    for one in found:
        if one.leaky:
            print(one.leaky)


def _figure(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"
