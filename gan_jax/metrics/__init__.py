"""Metrics: pure functions of arrays, and in `features` the frozen networks that turn images into arrays.

`evaluation` applies them to runs and folders of images. May import `data` and everything below it.
"""

from gan_jax.aliases import old_names
from gan_jax.metrics.arrays import Estimate
from gan_jax.metrics.classes import class_shares, code_accuracy, label_accuracy, mode_count, reverse_kl_classes
from gan_jax.metrics.discriminator import adversarial_accuracy, ranking_accuracy
from gan_jax.metrics.features.lpips import lpips
from gan_jax.metrics.features.network import FeatureNet, extract
from gan_jax.metrics.features.vgg16 import vgg16_features
from gan_jax.metrics.frechet import frechet_distance, intra_frechet_distance
from gan_jax.metrics.inception_score import inception_score
from gan_jax.metrics.kernel_distance import kernel_distance
from gan_jax.metrics.mixture_modes import energy_distance, mode_scores
from gan_jax.metrics.ms_ssim import mean_ms_ssim, ms_ssim
from gan_jax.metrics.ndb import different_bins, fit_bins
from gan_jax.metrics.nearest_neighbors import duplicates, memorized_share, neighbors
from gan_jax.metrics.patches import patch_features, patches
from gan_jax.metrics.path_length import path_length
from gan_jax.metrics.prdc import density_coverage, prdc, precision_recall
from gan_jax.metrics.psnr import masked_l1, masked_psnr, psnr
from gan_jax.metrics.segmentation import segmentation_scores
from gan_jax.metrics.ssim import ssim

__getattr__ = old_names(__name__)

__all__ = [
    "Estimate",
    "FeatureNet",
    "adversarial_accuracy",
    "class_shares",
    "code_accuracy",
    "density_coverage",
    "different_bins",
    "duplicates",
    "energy_distance",
    "extract",
    "fit_bins",
    "frechet_distance",
    "inception_score",
    "intra_frechet_distance",
    "kernel_distance",
    "label_accuracy",
    "lpips",
    "masked_l1",
    "masked_psnr",
    "mean_ms_ssim",
    "memorized_share",
    "mode_count",
    "mode_scores",
    "ms_ssim",
    "neighbors",
    "patch_features",
    "patches",
    "path_length",
    "prdc",
    "precision_recall",
    "psnr",
    "ranking_accuracy",
    "reverse_kl_classes",
    "segmentation_scores",
    "ssim",
    "vgg16_features",
]
