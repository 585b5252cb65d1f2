"""What a model reads, as data: channel, chunk plan, front end, encoder."""
