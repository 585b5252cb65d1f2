"""``ossicle features build|verify``: the embeddings or spectrograms of a project's recordings, computed once."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ossicle.app.cli.data.shard_problems import print_left_out, print_rebuilt, print_verified
from ossicle.app.cli.options import (
    HERE,
    AudioRootMap,
    DataRoot,
    Json,
    ProgressKind,
    ProjectFile,
    Set,
    Variant,
    overrides_of,
)
from ossicle.app.cli.printable import json_text, printable
from ossicle.core.text.sizes import size_in_words

group = typer.Typer(
    help="Build and verify features: embeddings or spectrograms of the recordings of a project, computed once.",
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
    audio_root_map: AudioRootMap = None,
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Encode every recording once, with the encoder in \\[encoder] and the windows in \\[features].

    A project for acoustic units has the frames of its segments instead, at the distance of the encoder.

    With `cache = true` in \\[features], keep the log-mel spectrograms that the network of the project reads instead, so
    that no epoch of training computes them again. Existing features are checked, and their damaged shards are built
    again, and only those. Exit code 3: some recordings were skipped or end early; each is listed.
    """
    from ossicle.app.api.features.build import build_features, build_spectrograms
    from ossicle.app.project.load import load_project
    from ossicle.app.steps.data import corpus, features, logmel
    from ossicle.app.steps.engine.input_problems import losses
    from ossicle.app.steps.engine.progress import make_progress

    more = () if workers is None else (f"project.workers={workers}",)
    loaded = load_project(project, (*overrides_of(set_, roots=audio_root_map), *more), data_root, variant)
    cached = loaded.settings.features.cache
    name = logmel.STEP.name if cached else features.STEP.name
    with make_progress(progress) as shown:
        done, problems = (build_spectrograms if cached else build_features)(loaded, shown, force=force)
    print_rebuilt(problems)
    path, outcome = done.artefacts[name], {"outcome": done.outcomes[name], "seconds": done.seconds[name]}
    facts, texts, left_out = _spectrograms(path) if cached else _embeddings(path)
    if as_json:
        print(json_text({"artefact": str(path), **outcome, **facts, "rebuilt": problems}))
    else:
        print(printable(texts[0]))
        print(printable(f"{path}: {size_in_words(facts['bytes'])}, {outcome['outcome']} in {outcome['seconds']:.1f} s"))
        for word in texts[1:]:
            print(printable(word))
    lines = [loss.line for loss in losses(done.artefacts[corpus.STEP.name])]
    print_left_out(lines + [f"{key}: left out: {reason}" for key, reason in left_out.items()])


def _embeddings(path: Path) -> tuple[dict[str, Any], list[str], dict[str, str]]:
    """Return what is said about embeddings, as values and in words, and which recordings have none."""
    from ossicle.app.api.features.build import shard_bytes
    from ossicle.artefacts.typed.shards.features import FeaturesFolder

    embeddings = FeaturesFolder(path)
    windows = sum(index.windows for index in embeddings.indexes.values())
    facts = {
        "windows": windows,
        "dim": embeddings.spec.dim,
        "encoder": embeddings.spec.to_json(),
        "bytes": shard_bytes(embeddings),
    }
    rows = "frames" if embeddings.of_frames else "windows"
    lines = [
        f"{windows} {rows} of {embeddings.window_s:g} s every {embeddings.hop_s:g} s, "
        f"{embeddings.spec.dim} values, {embeddings.spec.name}",
        *([f"licence of the encoder: {embeddings.spec.licence}"] if embeddings.spec.licence else []),
    ]
    return facts, lines, embeddings.left_out


def _spectrograms(path: Path) -> tuple[dict[str, Any], list[str], dict[str, str]]:
    """Return what is said about kept spectrograms, as values and in words, and which recordings have none."""
    from ossicle.app.api.features.build import shard_bytes
    from ossicle.artefacts.typed.shards.logmel import LogMelFolder

    logmel_folder = LogMelFolder(path)
    rows = sum(index.windows for index in logmel_folder.indexes.values())
    recordings = sum(len(index.entries) for index in logmel_folder.indexes.values())
    facts = {
        "recordings": recordings,
        "rows": rows,
        "n_mels": logmel_folder.n_mels,
        "bytes": shard_bytes(logmel_folder),
    }
    return facts, [f"log-mel spectrograms of {recordings} recordings: {rows} rows of {logmel_folder.n_mels} bands"], {}


def verify(
    project: ProjectFile = HERE,
    variant: Variant = "",
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    data_root: DataRoot = None,
    as_json: Json = False,
) -> None:
    """Verify the checksums of the features.

    Every problem is listed; the exit code is then 1. `ossicle features build` builds damaged shards again, and only
    those.
    """
    from ossicle.app.api.features.build import existing_features, existing_spectrograms
    from ossicle.app.project.load import load_project
    from ossicle.app.steps.data import features, logmel

    loaded = load_project(project, overrides_of(set_, roots=audio_root_map), data_root, variant)
    if loaded.settings.features.cache:
        artefact = existing_spectrograms(loaded).path
        damaged = logmel.problems(artefact)
    else:
        artefact = existing_features(loaded)[features.STEP.name]
        damaged = features.problems(artefact)
    problems = [line for lines in damaged.values() for line in lines]
    print_verified(loaded, artefact, problems, "sound", "ossicle features build", as_json=as_json)
