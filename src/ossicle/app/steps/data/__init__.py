"""Steps from recordings to stored clips."""
