"""Report of a conversion between annotation formats."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Account:
    """Report of a conversion: notes, and whether anything was left out for good."""

    notes: list[str] = field(default_factory=list)
    incomplete: bool = False

    def left_out(self, text: str) -> None:
        """Note something that is missing from the output."""
        self.notes.append(text)
        self.incomplete = True
