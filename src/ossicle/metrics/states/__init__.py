"""How well states are decided: windows and files against their labels, switches against their times."""
