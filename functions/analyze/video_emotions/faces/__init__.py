"""Step 6: the faces in a frame.  Frame.image -> Face(box, crop, score, landmarks), largest first.

::

    detector.py   what every detector promises
    haar.py       OpenCV's Haar cascade            sweep.py   how the cascade moves over a picture
    yunet.py      OpenCV's YuNet network
    crops.py      aligns and cuts a face out, as DeepFace does, for all detectors
    finder.py     the table of detectors, and the faces that one of them finds
"""
