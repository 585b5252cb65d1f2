"""``ossicle dataset mine``: save false alarms of a project's models as noise for its next dataset."""

from collections import Counter
from dataclasses import asdict
from typing import Annotated

import typer

from ossicle.app.cli.options import HERE, AudioRootMap, DataRoot, Json, ProjectFile, Set, Variant, overrides_of
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.table import print_rows


def register(group: typer.Typer) -> None:
    """Add the command to the group ``dataset``."""
    group.command()(mine)


def mine(
    project: ProjectFile = HERE,
    variant: Variant = "",
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    data_root: DataRoot = None,
    most: Annotated[
        int, typer.Option(min=1, help="Number of false alarms to keep, those with the highest scores.")
    ] = 200,
    lower: Annotated[
        float, typer.Option(min=0.05, max=1.0, help="Factor that lowers the thresholds, to include near misses.")
    ] = 0.5,
    as_json: Json = False,
) -> None:
    """Save false alarms of the out-of-fold models as hard negatives, in negatives/mined-NNN.json.

    The next run uses them as noise clips, also of other variants than the one that was mined, except those with
    `dataset.mined = false`. `dataset.mined_weight` sets how often they are drawn.
    """
    from ossicle.app.project.load import load_project
    from ossicle.app.steps.rounds.hard_negatives import mine as mine_project

    done = mine_project(
        load_project(project, overrides_of(set_, roots=audio_root_map), data_root, variant), most, lower
    )
    if as_json:
        facts = {
            "file": str(done.file) if done.file else None,
            "false_alarms": [asdict(false_alarm) for false_alarm in done.false_alarms],
        }
        print(json_text({**facts, **done.learners.to_json()}))
        return
    counts = Counter(false_alarm.label for false_alarm in done.false_alarms)
    print_rows(("label", "false alarms kept"), [(label, str(count)) for label, count in sorted(counts.items())])
    if not done.file:
        print("an earlier round found the same false alarms: nothing was written")
        return
    print(printable(f"wrote {done.file}"))
    for line in done.learners.lines("write mined = false in [variants.NAME.dataset]"):
        print(printable(line))
