"""Long recordings to segments: stretches of sound between silences."""
