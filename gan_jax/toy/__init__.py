"""Games on points: mixtures of Gaussians scored exactly, and the Dirac-GAN with its closed forms.

`gaussians` builds the ring and grid experiments; `dirac` plays the Dirac-GAN, `dirac_theory` predicts its trajectories.
May import `training` and everything below it; never `sweep`.
"""
