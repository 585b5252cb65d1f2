"""Steps of projects for acoustic units that train a vocoder: pitch, vocoder, resynthesis."""
