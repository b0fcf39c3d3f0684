"""Augmentations of the discriminator's input: pure functions of images and one key per example.

Place for DiffAugment and ADA. May import `engine` and `errors`.
"""
