"""Files between this machine and another place: a folder, a machine over ssh, or a Modal volume."""
