"""F0 tracking: the pitch of speech over time."""
