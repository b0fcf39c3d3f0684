"""Augmentations of the discriminator's input: pure functions of images and one key per example.

May import `engine` and `errors`.
"""
