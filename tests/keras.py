"""What a test of TensorFlow sets before it is imported."""

from typing import Final

VARIABLES: Final = {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
"""Keras 2, which DeepFace's networks need; errors only; no GPU."""
