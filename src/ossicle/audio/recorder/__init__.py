"""What recorders write into their files beside the sound: GUANO, Wildlife Acoustics' wamd, AudioMoth's comment."""
