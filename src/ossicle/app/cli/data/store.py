"""``ossicle store build|verify``: the recordings of a project, decoded once for training."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from ossicle.app.project.load import Project, load_project
from ossicle.artefacts.files import read_json
from ossicle.artefacts.typed.shards.store import StoreFolder
from ossicle.core.errors import UsageError
from ossicle.core.settings import digestible
from ossicle.core.text.sizes import size_in_words

if TYPE_CHECKING:
    from ossicle.app.steps.engine.progress import Live, Plain, Quiet

group = typer.Typer(help="Build and verify the store: the recordings of a project, decoded once.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group.command()(build)
    group.command()(verify)
    app.add_typer(group, name="store")


def build(
    project: ProjectFile = HERE,
    variant: Variant = "",
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            help="Number of decoding processes. Default: workers in \\[project].",
            show_default=False,
        ),
    ] = None,
    only_biggest: Annotated[
        int | None,
        typer.Option(
            "--only-biggest", min=0, help="Store only this many recordings, the longest; 0: all.", show_default=False
        ),
    ] = None,
    longer_s: Annotated[
        float | None,
        typer.Option(
            "--longer-s", min=0, help="Store only recordings of at least this many seconds.", show_default=False
        ),
    ] = None,
    leave_gb: Annotated[
        float | None,
        typer.Option(
            "--leave-gb",
            min=0,
            help="Keep this many GB of the disk free; the longest recordings are stored first. 0: store all.",
            show_default=False,
        ),
    ] = None,
    decoder: Annotated[
        str | None,
        typer.Option(
            help="Decoder: auto (libsndfile, and FFmpeg for files it cannot read), soundfile or av.", show_default=False
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Build the store again, for example after freeing disk space.")
    ] = False,
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Decode the recordings once into the store, which training reads. Others are decoded from their files each time.

    The defaults of the options are the settings in \\[store] of the project file. An existing store is checked, and its
    damaged shards are rebuilt. Exit code 3: some recordings were skipped or end early; each is listed.
    """
    from ossicle.app.steps.data import corpus
    from ossicle.app.steps.data import store as store_step
    from ossicle.app.steps.engine.input_problems import losses
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.pipeline.run_project import run_project
    from ossicle.audio.store.composition import composition

    store_options = {
        "project.workers": workers,
        "store.only_biggest": only_biggest,
        "store.longer_s": None if longer_s is None else float(longer_s),
        "store.leave_gb": None if leave_gb is None else float(leave_gb),
        "store.decoder": decoder,
    }
    overrides = tuple(f"{key}={json.dumps(value)}" for key, value in store_options.items() if value is not None)
    loaded = load_project(project, (*overrides_of(set_, roots=audio_root_map), *overrides), data_root, variant)
    name = store_step.STEP.name
    with make_progress(progress) as shown:
        done = run_project(loaded, shown, names=(name,), recompute_from=name if force else None)
        store = done.artefacts[name]
        damaged = (
            _mended(loaded, done.artefacts[corpus.STEP.name], store, shown) if done.outcomes[name] == "reused" else []
        )
    store_composition = composition(store)
    size = sum(path.stat().st_size for path in StoreFolder(store).shard_files())
    print_rebuilt(damaged)
    if as_json:
        facts = {"artefact": str(store), "outcome": done.outcomes[name], "seconds": done.seconds[name]}
        print(json_text({**facts, "bytes": size, "redone": damaged, "composition": store_composition.to_json()}))
    else:
        print(printable(store_composition.line))
        print(printable(f"{store}: {size_in_words(size)}, {done.outcomes[name]} in {done.seconds[name]:.1f} s"))
    for line in _advice(
        loaded,
        load_project(project, overrides_of(set_, roots=audio_root_map), data_root, variant),
        store,
        store_composition.warning,
    ):
        print(printable(line), file=sys.stderr)
    print_left_out([loss.line for loss in losses(done.artefacts[corpus.STEP.name])])


def _mended(project: Project, corpus: Path, store: Path, shown: "Live | Plain | Quiet") -> list[str]:
    """Rebuild the damaged shards of a finished store, and return what was wrong with them."""
    from ossicle.app.steps.data.store import repair
    from ossicle.audio.store.verify import verify_store

    shown.begin("store verify")
    damaged = verify_store(store, progress=shown.advance)
    if damaged:
        repair(project, corpus, store, lambda line: shown.advance(0, 0, line))
    shown.end("store verify", f"{len(damaged)} problems" if damaged else "sound", 0.0)
    return damaged


def _advice(loaded: Project, as_written: Project, store: Path, warning: str) -> list[str]:
    """Return advice about a store, to print after its content."""
    lines = [warning] if warning else []
    choice = StoreFolder(store).choice_file
    without = read_json(choice)["without"] if choice.exists() else []
    if without:
        lines.append(
            f"{len(without)} recordings are not in the store, because the disk is too full: free some space or lower "
            "leave_gb, then run ossicle store build --force"
        )
    if digestible(loaded.settings.store) != digestible(as_written.settings.store):
        lines.append(
            f"note: these options are not in {loaded.file}: add them to [store] there, otherwise ossicle run builds "
            "another store"
        )
    return lines


def verify(
    project: ProjectFile = HERE,
    variant: Variant = "",
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Verify the checksums of the store, and of the recordings that are not in it.

    Every problem is listed with what to do; the exit code is then 1. `ossicle store build` rebuilds damaged shards, and
    only those.
    """
    from ossicle.app.steps.data import store as store_step
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.engine.step import find_steps
    from ossicle.app.steps.pipeline.pipelines import chosen_steps
    from ossicle.audio.store.composition import composition
    from ossicle.audio.store.verify import verify_store

    loaded = load_project(project, overrides_of(set_, roots=audio_root_map), data_root, variant)
    name = store_step.STEP.name
    store = find_steps(chosen_steps(loaded, [name]), loaded)[name]
    if store is None:
        raise UsageError(f"{loaded.file}: no store exists for these settings and recordings; run: ossicle store build")
    with make_progress(progress) as shown:
        shown.begin("store verify")
        problems = verify_store(store, loaded.roots, shown.advance)
        shown.end("store verify", f"{len(problems)} problems" if problems else "sound", 0.0)
    sound = "" if problems else f"sound; {composition(store).line}"
    print_verified(loaded, store, problems, sound, "ossicle store build", as_json=as_json)
