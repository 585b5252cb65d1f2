"""What there is to say about annotations that went from one format into another."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Account:
    """What became of a conversion: what there is to say, and whether anything was left out for good."""

    notes: list[str] = field(default_factory=list)
    incomplete: bool = False

    def left_out(self, text: str) -> None:
        """Say that something is not in the output."""
        self.notes.append(text)
        self.incomplete = True
