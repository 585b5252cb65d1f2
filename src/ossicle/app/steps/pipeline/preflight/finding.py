"""A result of a check before a run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One checked item.

    Attributes
    ----------
    what
        What was checked.
    ok
        False if a run would fail because of it, or would leave something out.
    message
        What was found, and what to do about it.
    blocks
        Whether a run would fail because of it if it is not ``ok``.
    warns
        Whether the user should read it although nothing is lost.
    """

    what: str
    ok: bool
    message: str
    blocks: bool = True
    warns: bool = False

    @property
    def state(self) -> str:
        """The state in one word, for a table."""
        if self.ok:
            return "warning" if self.warns else "ok"
        return "FAULT" if self.blocks else "lost"
