"""Times a training step on a CPU beside the same step in Keras, TensorFlow and PyTorch: `python scripts/bench`."""
