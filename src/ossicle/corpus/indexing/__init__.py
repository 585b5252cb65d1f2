"""From folders of recordings and annotations to one index of a corpus."""
