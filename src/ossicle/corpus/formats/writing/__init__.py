"""Events of one format as files of another, and what is lost on the way."""
