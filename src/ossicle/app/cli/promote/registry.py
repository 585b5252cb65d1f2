"""``ossicle registry list|show|rollback``: the promoted bundles."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ossicle.app.cli.options import DataRoot, Json
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.table import print_rows

if TYPE_CHECKING:
    from ossicle.bundle.registry.registry import Registry

group = typer.Typer(help="List, show and roll back promoted bundles.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name in the registry.")]
OfProject = Annotated[
    Path | None,
    typer.Option(
        "--project",
        "-p",
        help="Project whose registry is meant. Default: the one in this folder, else $OSSICLE_REGISTRY.",
        show_default=False,
    ),
]
Folder = Annotated[Path | None, typer.Option("--folder", help="Folder of the registry.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group.command("list")(list_names)
    group.command()(show)
    group.command()(rollback)
    app.add_typer(group, name="registry")


def list_names(
    project: OfProject = None, folder: Folder = None, data_root: DataRoot = None, as_json: Json = False
) -> None:
    """List the names in the registry with the current version of each."""
    registry = _registry(project, folder, data_root)
    rows = [_facts(registry, name) for name in registry.names()]
    if as_json:
        print(json_text({"folder": str(registry.root), "names": rows}))
        return
    if not rows:
        print(printable(f"{registry.root}: no model was promoted yet; see `ossicle promote --help`"))
        return
    print_rows(
        ("name", "current", "versions", "refusals", "last change", ""),
        [
            (
                row["name"],
                "none" if row["current"] is None else str(row["current"]),
                str(row["versions"]),
                str(row["refusals"]),
                row["last"].get("time", "")[:19],
                row["last"].get("event", ""),
            )
            for row in rows
        ],
    )
    print(printable(str(registry.root)))


def show(
    name: Name,
    project: OfProject = None,
    folder: Folder = None,
    data_root: DataRoot = None,
    as_json: Json = False,
) -> None:
    """Show the versions of a name, compare all files with their checksums, and print the ledger.

    Exit code 1: a version is damaged.
    """
    from ossicle.bundle.registry.version import damage_in_words
    from ossicle.core.errors import EXIT_FAILED

    registry = _registry(project, folder, data_root)
    versions, current = registry.versions(name), registry.current(name)
    ledger = registry.ledger(name)
    promoted = {entry.get("version"): entry for entry in ledger if entry["event"] == "promoted"}
    damage = {version.number: damage_in_words(version) for version in versions}
    if as_json:
        facts = [
            {
                "version": version.number,
                "current": version.number == current,
                "folder": str(version.path),
                "damage": damage[version.number],
            }
            for version in versions
        ]
        print(json_text({"name": name, "versions": facts, "ledger": ledger}))
    else:
        rows = []
        for version in versions:
            line = promoted.get(version.number, {})
            rows.append(
                (
                    f"{version.number}{' (current)' if version.number == current else ''}",
                    str(line.get("time", "never promoted"))[:19],
                    _origin_of_line(line),
                    str(line.get("against") or ""),
                    "damaged" if damage[version.number] else "good",
                    str(version.card),
                )
            )
        print_rows(("version", "promoted", "from", "replaced", "files", "card"), rows)
        print_rows(("time", "event", "version", "reason"), [_ledger_row(entry) for entry in ledger])
        for damage_text in filter(None, damage.values()):
            print(printable(damage_text))
    if any(damage.values()):
        raise typer.Exit(EXIT_FAILED)


def rollback(
    name: Name,
    to: Annotated[
        int | None,
        typer.Option(
            "--to", min=1, help="Version. Default: the one that the current one replaced.", show_default=False
        ),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the ledger.", show_default=False)] = "",
    project: OfProject = None,
    folder: Folder = None,
    data_root: DataRoot = None,
    as_json: Json = False,
) -> None:
    """Make an earlier version the current one. Its files are compared with their checksums first."""
    before, now = _registry(project, folder, data_root).rollback(name, to, reason)
    if as_json:
        print(json_text({"name": name, "before": before, "current": now}))
        return
    print(printable(f"registry:{name}@current is version {now} (before: {'none' if before is None else before})"))


def _registry(project: Path | None, folder: Path | None, data_root: Path | None) -> "Registry":
    from ossicle.app.project.bundle_places import registry_folder, registry_here
    from ossicle.app.project.load import load_project
    from ossicle.bundle.registry.registry import Registry

    if folder is not None:
        return Registry(folder)
    if project is not None:
        return Registry(registry_folder(load_project(project, data_root=data_root)))
    return Registry(registry_here("ossicle registry", data_root))


def _facts(registry: "Registry", name: str) -> dict[str, Any]:
    ledger = registry.ledger(name)
    return {
        "name": name,
        "current": registry.current(name),
        "versions": len(registry.versions(name)),
        "refusals": sum(entry["event"] == "refused" for entry in ledger),
        "last": ledger[-1] if ledger else {},
    }


def _origin_of_line(line: dict[str, Any]) -> str:
    return " ".join(filter(None, (str(line.get("project") or ""), str(line.get("variant") or ""))))


def _ledger_row(line: dict[str, Any]) -> tuple[str, str, str, str]:
    number = f"refusal {line['refusal']}" if "refusal" in line else str(line.get("version", ""))
    reasons = line.get("failed")
    reason_text = "; ".join(map(str, reasons)) if isinstance(reasons, list) else str(line.get("reason") or "")
    return str(line.get("time", ""))[:19], str(line["event"]), number, reason_text
