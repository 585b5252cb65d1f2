"""Live sound: devices, capture with gaps and true times, the stream engine, and sinks for its lines. No torch."""
