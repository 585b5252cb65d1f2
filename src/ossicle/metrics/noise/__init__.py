"""Detections in sound without targets: limits, exceptions, and which labels are noise themselves."""
