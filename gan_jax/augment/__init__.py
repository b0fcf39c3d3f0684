"""Augmentations of what the discriminator sees: pure functions of (images, keys, step).

`instance_noise` is here; DiffAugment and ADA belong here too.
May import `engine` and `errors` only.
"""
