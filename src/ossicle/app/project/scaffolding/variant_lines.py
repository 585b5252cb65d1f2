"""``ossicle new`` for recipes with presets: a variant of the project for each of them."""

from ossicle.app.project.scaffolding.toml_lines import quoted
from ossicle.app.project.variants.presets import variant_preset_names


def variant_lines(recipe: str) -> list[str]:
    """Return lines that make each preset of a recipe a variant, the shortest training first; none without presets."""
    names = variant_preset_names(recipe)
    if not names:
        return []
    lines = [
        "",
        "# Trainings to run by name: `ossicle run --variant NAME`; `ossicle presets show` prints their settings.",
    ]
    for name in names:
        lines += [f"[variants.{name.rpartition('/')[2]}]", f"base = {quoted(f'preset:{name}')}"]
    return lines
