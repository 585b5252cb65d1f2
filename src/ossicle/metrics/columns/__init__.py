"""Events of many recordings and labels as columns: counted and matched all at once, in time linear in the events."""
