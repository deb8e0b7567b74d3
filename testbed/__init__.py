"""What the tests and the benchmarks share: generated videos, pictures, real clips, and the Flask app's own loop.

::

    make_video.py   codes pictures as a video, in many codecs and containers
    pictures.py     what generated videos show
    footage.py      real clips, out of a pinned package
    flask_app.py    the loop of the app that this project carries on: the reference for its numbers and its speed
"""
