"""Commands about recordings and clips: ``ossicle dataset``."""

import typer

from ossicle.app.cli.data import (
    dataset_augment,
    dataset_export,
    dataset_health,
    dataset_optimism,
    dataset_stats,
    dataset_verify,
    mine,
)

group = typer.Typer(help="Inspect and export the recordings, annotations and clips of a project.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group.command()(dataset_health.health)
    group.command()(dataset_verify.verify)
    group.command()(dataset_stats.stats)
    group.command()(dataset_export.export)
    group.command()(dataset_optimism.optimism)
    group.command()(dataset_augment.augment)
    mine.register(group)
    app.add_typer(group, name="dataset")
