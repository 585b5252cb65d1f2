"""``ossicle features build|verify``: the embeddings of a project's recordings, computed once."""

import sys
from typing import Annotated

import typer

from ossicle.app.cli.options import HERE, DataRoot, Json, ProgressKind, ProjectFile, Set, Variant
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.project.load import load_project
from ossicle.artefacts.typed.features import FeaturesFolder
from ossicle.core.errors import EXIT_FAILED, EXIT_INCOMPLETE

group = typer.Typer(
    help="Build and verify features: the embeddings of the recordings of a project, computed once.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group.command()(build)
    group.command()(verify)
    app.add_typer(group, name="features")


def build(
    project: ProjectFile = HERE,
    variant: Variant = "",
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", min=1, help="Number of processes. Default: workers in \\[project].", show_default=False
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Compute all features again.")] = False,
    set_: Set = None,
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Encode every recording once, with the encoder in \\[encoder] and the windows in \\[features].

    Existing features are checked, and their damaged shards are built again, and only those. Exit code 3: some
    recordings were skipped or end early; each is listed.
    """
    from ossicle.app.api.features.build import build_features, shard_bytes
    from ossicle.app.steps.data import corpus, features
    from ossicle.app.steps.engine.input_problems import losses
    from ossicle.app.steps.engine.progress import make_progress

    more = () if workers is None else (f"project.workers={workers}",)
    loaded = load_project(project, (*(set_ or ()), *more), data_root, variant)
    name = features.STEP.name
    with make_progress(progress) as shown:
        done, problems = build_features(loaded, shown, force=force)
    own = FeaturesFolder(done.artefacts[name])
    windows, size = sum(one.windows for one in own.indexes.values()), shard_bytes(own)
    for problem in problems:
        print(printable(f"damaged, now rebuilt: {problem}"), file=sys.stderr)
    if as_json:
        told = {"artefact": str(own.path), "outcome": done.outcomes[name], "seconds": done.seconds[name]}
        told |= {"windows": windows, "dim": own.spec.dim, "encoder": own.spec.to_json(), "bytes": size}
        print(json_text({**told, "rebuilt": problems}))
    else:
        what = f"{own.spec.dim} values, {own.spec.name}"
        print(printable(f"{windows} windows of {own.window_s:g} s every {own.hop_s:g} s, {what}"))
        print(printable(f"{own.path}: {size / 1e6:.1f} MB, {done.outcomes[name]} in {done.seconds[name]:.1f} s"))
        if own.spec.licence:
            print(printable(f"licence of the encoder: {own.spec.licence}"))
    lines = [one.line for one in losses(done.artefacts[corpus.STEP.name])]
    lines += [f"{key}: left out: {reason}" for key, reason in own.left_out.items()]
    for line in lines:
        print(printable(line), file=sys.stderr)
    if lines:
        raise typer.Exit(EXIT_INCOMPLETE)


def verify(
    project: ProjectFile = HERE,
    variant: Variant = "",
    set_: Set = None,
    data_root: DataRoot = None,
    as_json: Json = False,
) -> None:
    """Verify the checksums of the features.

    Every problem is listed; the exit code is then 1. `ossicle features build` builds damaged shards again, and only
    those.
    """
    from ossicle.app.api.features.build import existing_features
    from ossicle.app.steps.data import features

    loaded = load_project(project, tuple(set_ or ()), data_root, variant)
    place = existing_features(loaded)[features.STEP.name]
    problems = [line for lines in features.problems(place).values() for line in lines]
    if as_json:
        print(json_text({"artefact": str(place), "problems": problems}))
    elif problems:
        print(printable("\n".join(problems)))
        print("to build damaged shards again, run: ossicle features build")
    else:
        print(printable(f"{place}: sound"))
    if problems:
        raise typer.Exit(EXIT_FAILED)
