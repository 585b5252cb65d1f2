"""Variants of a project: named overlays on its tables, so that a grid of datasets and trainings is data.

``[variants.NAME]`` may override any table (``[variants.NAME.split]``, ``[variants.NAME.training]``, ...). It may start
from another variant (``base = "OTHER"``) or from a variant that ships with Ossicle
(``base = "preset:quality_balanced"``). ``active = [...]``, at the top of the file, lists the variants that
``ossicle train --all-active`` trains, in this order. Every project has the variant ``debug``, with a small part of its
data and a few steps, unless it defines its own.
"""

from typing import Any

from ossicle.app.project.layers import Layers, Origin, in_full
from ossicle.app.project.variants.presets import variant_preset, variant_preset_names
from ossicle.bundle.manifest import is_plain_name
from ossicle.core.errors import ProjectError
from ossicle.core.text.suggestion import did_you_mean

TABLE = "variants"
ACTIVE = "active"
_MOST_BASES = 8
DEBUG = "debug"

Overlay = dict[str, Any]


class Variants:
    """The variants of a project file, taken out of its layers; ``active`` lists those to train."""

    def __init__(self, layers: Layers) -> None:
        overlays = layers.values.pop(TABLE, {})
        active = layers.values.pop(ACTIVE, [])
        where = str(layers.origin((TABLE,)))
        if not isinstance(overlays, dict) or not all(isinstance(overlay, dict) for overlay in overlays.values()):
            raise ProjectError(
                f"{where}: [variants] must contain tables only: write [variants.NAME] or [variants.NAME.TABLE]"
            )
        for name in overlays:
            if not is_plain_name(name):
                raise ProjectError(
                    f"{where}: [variants.{name!r}] is not a plain name (letters, digits, '.', '_', '-'; no path)"
                )
        self._where = where
        self._overlays: dict[str, Overlay] = overlays
        self._of_user = {name for name in overlays if layers.by_user((TABLE, name))}
        if not isinstance(active, list) or not all(isinstance(name, str) for name in active):
            raise ProjectError(f'{layers.origin((ACTIVE,))}: active must be a list of names, as in active = ["quick"]')
        self.active = tuple(dict.fromkeys(active))
        for name in self.active:
            self.require(name, f"{layers.origin((ACTIVE,))}: active")

    @property
    def names(self) -> tuple[str, ...]:
        """Return all names, sorted."""
        return tuple(sorted(self._overlays))

    def require(self, name: str, where: str) -> None:
        """Raise ProjectError if there is no such variant; ``where`` says which file or option names it."""
        if name in self._overlays or name == DEBUG:
            return
        remedy = did_you_mean(name, self.names) or "the project file has no [variants.NAME]"
        raise ProjectError(f"{where}: no variant {name!r}; {remedy}")

    def lay_over(self, layers: Layers, name: str) -> None:
        """Merge a variant and its bases over ``layers``; its bundle is named after it unless it sets a name."""
        for overlay, origin in reversed(self._chain(name)):
            layers.add(in_full(overlay, str(origin)), origin)
        project = layers.values.get("project", {})
        if "name" not in self._overlays.get(name, {}).get("project", {}) and isinstance(project, dict):
            layers.add({"name": f"{project.get('name', 'detector')}-{name}"}, Origin(f"variant {name}"), ("project",))

    def _chain(self, name: str) -> list[tuple[Overlay, Origin]]:
        """Return the overlay of a variant and those of its bases, its own first."""
        chain: list[tuple[Overlay, Origin]] = []
        asked_by = f"{self._where}: variant"
        while len(chain) <= _MOST_BASES:
            if name.startswith("preset:"):
                overlay, origin = _preset(name.removeprefix("preset:"), asked_by), Origin(name)
            elif name == DEBUG and name not in self._overlays:
                overlay, origin = _preset(DEBUG, asked_by), Origin(f"preset:{DEBUG}")
            else:
                self.require(name, asked_by)
                where = Origin(f"{self._where}: [variants.{name}]", by_user=name in self._of_user)
                overlay, origin = dict(self._overlays[name]), where
            base = overlay.pop("base", None)
            chain.append((overlay, origin))
            if base is None:
                return chain
            if not isinstance(base, str) or not base.isprintable():
                raise ProjectError(f'{origin}: base must be text: another variant, or "preset:NAME"')
            name, asked_by = base, f"{origin} base"
        raise ProjectError(f"{self._where}: [variants.{name}] has more than {_MOST_BASES} bases; check for a circle")


def _preset(name: str, asked_by: str) -> Overlay:
    names = variant_preset_names()
    if name not in names:
        raise ProjectError(f"{asked_by} preset:{name}: this preset does not exist; presets: {', '.join(names)}")
    return variant_preset(name)
