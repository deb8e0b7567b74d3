"""The emotion models: what they are, how they are fetched, how they become ONNX.

================= ===================================================================
``manifest.json`` each model's file, digest, sources, input, labels and licence
``manifest``      reads it, and verifies what lies on disk; light enough for a cold start
``files``         digests, and files that appear whole or not at all
``fetch``         source -> verified weights
``convert``       weights -> ONNX of checked parity; the only module here that knows TensorFlow
``__main__``      the commands: ``python -m video_models``
================= ===================================================================

On disk a model lies under ``models_dir``, which is DeepFace's ``DEEPFACE_HOME``::

    <models_dir>/.deepface/weights/facial_expression_model_weights.h5          pinned by the manifest
                                   facial_expression_model_weights.onnx        made from it
                                   facial_expression_model_weights.onnx.json   the record: from what, how close
"""
