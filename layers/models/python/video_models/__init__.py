"""The models: their manifest, how they are fetched, how the emotion networks become ONNX.

================= ==========================================================================
``manifest.json`` each model's file, digest, sources and license
``specs``         the entries: emotion networks and face detectors
``manifest``      reads the entries and verifies files on disk; light enough for a cold start
``files``         digests, and atomic writes
``sources``       the content of a file, from a folder, an address, a wheel or this package
``fetch``         source -> verified file
``convert``       weights -> ONNX of checked parity; the only module here that knows TensorFlow
``__main__``      the commands: ``python -m video_models``
================= ==========================================================================

On disk everything is under ``models_dir``, which is DeepFace's ``DEEPFACE_HOME``::

    <models_dir>/.deepface/weights/facial_expression_model_weights.h5          pinned by the manifest
                                   facial_expression_model_weights.onnx        made from it
                                   facial_expression_model_weights.onnx.json   the record: from what, how close
                 detectors/face_detection_yunet_2026may.onnx                   pinned by the manifest, used as it is
"""
