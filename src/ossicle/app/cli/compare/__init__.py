"""Commands that judge and compare detectors."""
