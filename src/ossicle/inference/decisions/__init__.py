"""From scores to events: the decision rule, the grid of decisions, and the choice among them."""
