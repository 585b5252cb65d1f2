"""Where the lines of a live session go: standard output, files, MQTT, webhooks."""
