"""Frozen networks that turn images, sounds and videos into the arrays that metrics compare.

`network` defines the type, `mnist`, `inception` and `alexnet` the networks; `lpips` is a distance, `vgg16` has features
for perceptual losses; the other modules support these.
May import `metrics.arrays`, `data.modality`, `audio`, `nets.layers`, `engine` and `errors` only.
"""
