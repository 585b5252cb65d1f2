"""Which of a project and its variants the next run of which uses a new round of mining, pseudo-labels or review.

Rounds lie in the project folder, which the project and its variants share.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ossicle.app.project.load import Project, load_project
from ossicle.app.project.tables.ensemble import ITSELF


@dataclass(frozen=True, slots=True)
class Learners:
    """Names of those that use a round and of the others; ``"."`` is the project itself.

    ``stopped`` holds those whose next run the round stops, with the reason.
    """

    used_by: tuple[str, ...]
    not_used_by: tuple[str, ...]
    stopped: dict[str, str]

    def lines(self, remedy: str) -> list[str]:
        """Return what to print after a round, one line each; nothing if the project has no variants.

        Parameters
        ----------
        remedy
            The setting by which a variant leaves the round out, as ``[variants.NAME.dataset] mined = false``.
        """
        if len(self.used_by) + len(self.not_used_by) < 2:
            return []
        lines = [f"the next runs of these use it: {_names_in_words(self.used_by)}"] if self.used_by else []
        lines += [f"these do not use it: {_names_in_words(self.not_used_by)}"] if self.not_used_by else []
        lines += [f"{_names_in_words((name,))} will stop: {reason}" for name, reason in self.stopped.items()]
        return [*lines, f"to leave it out of a variant: {remedy}"] if self.used_by and remedy else lines

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {"used_by": list(self.used_by), "not_used_by": list(self.not_used_by), "stopped": self.stopped}


def learners(
    project: Project, uses: Callable[[Project], bool], stops: Callable[[Project], str] = lambda _: ""
) -> Learners:
    """Return who uses a round that was just written.

    Parameters
    ----------
    project
        The project, or a variant of it.
    uses
        Whether a variant uses the round under its settings in the project file.
    stops
        Why the run of a variant that uses the round fails; empty if it does not.
    """
    every = [load_project(project.file, (), project.data_root, name) for name in ("", *project.variants)]
    using = [project for project in every if uses(project)]
    names = {project.variant or ITSELF: project for project in using}
    return Learners(
        tuple(names),
        tuple(project.variant or ITSELF for project in every if (project.variant or ITSELF) not in names),
        {name: reason for name, project in names.items() if (reason := stops(project))},
    )


def _names_in_words(names: tuple[str, ...]) -> str:
    return ", ".join("the project itself" if name == ITSELF else f"variant {name}" for name in names)
