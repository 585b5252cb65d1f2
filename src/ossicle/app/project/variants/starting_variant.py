"""``[training] init_from``: the variant that a variant starts from, as a name that exists and leads in no circle."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from ossicle.bundle.registry.references import is_reference
from ossicle.core.errors import ProjectError
from ossicle.core.text.suggestion import did_you_mean
from ossicle.training.settings import TrainingSettings


def names_folder(init_from: str, folder: Path) -> bool:
    """Return whether ``init_from`` is a folder below or beside that of the project or a promoted bundle, not a variant.

    >>> names_folder("registry:drums@current", Path()), names_folder("warmup", Path("nowhere"))
    (True, False)
    """
    return is_reference(init_from) or "/" in init_from or "\\" in init_from or (folder / init_from).is_dir()


def require_start(variant: str, starts: Mapping[str, str], origin: str, folder: Path) -> None:
    """Raise ProjectError if a variant starts from one that does not exist, or in the end from itself.

    Parameters
    ----------
    variant
        The variant; empty for the project itself.
    starts
        ``training.init_from`` of every variant.
    origin
        Where that of ``variant`` was written, for messages.
    folder
        The folder of the project file.
    """
    passed = [variant]
    while (start := starts[passed[-1]]) and not (start not in starts and names_folder(start, folder)):
        where = f'{origin}: [training] init_from = "{starts[variant]}"'
        if start not in starts:
            names = [name for name in starts if name]
            remedy = did_you_mean(start, names) or "the project has no variants"
            raise ProjectError(
                f"{where}: no variant {start!r}, and no folder; {remedy}; write [variants.{start}] with its settings, "
                'or set init_from = ""'
            )
        if start in passed:
            chain = " -> ".join(name or "the project" for name in (*passed, start))
            raise ProjectError(
                f'{where}: leads back to itself ({chain}); set init_from = "" in [variants.{start}.training]'
            )
        passed.append(start)


def overrides_for_start(overrides: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ``--set`` options that also hold for the variant to start from.

    Those of ``[training]`` and ``[tracking]`` belong to the variant that is run, except device, workers and the like,
    which change no result.

    >>> overrides_for_start(("training.epochs=3", "training.parallel=1", "corpus.most=10"))
    ('training.parallel=1', 'corpus.most=10')
    """
    anywhere = {field.name for field in fields(TrainingSettings) if not field.metadata["digest"]} - {
        "init_from",
        "pretrained",
    }

    def holds(text: str) -> bool:
        table, _, key = text.partition("=")[0].partition(".")
        return key.strip() in anywhere if table.strip() == "training" else table.strip() != "tracking"

    return tuple(filter(holds, overrides))
