"""Commands that evaluate and compare detectors."""
