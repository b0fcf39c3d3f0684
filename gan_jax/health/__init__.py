"""Whether a run goes well: numbers that are finite, and the ways in which a GAN fails while they are."""
