"""Other packages on a clip, each in an environment of its own: ``python -m benchmarks.other_subject NAME FILE``.

Every thirtieth picture, as ours by default, decoded with what the package itself uses.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.serving import Run, serve

EVERY = 30


def pictures(path: Path) -> Iterator[Any]:
    """Yield every thirtieth picture: BGR, uint8."""
    import cv2

    capture, place = cv2.VideoCapture(str(path)), 0
    while (read := capture.read())[0]:
        if place % EVERY == 0:
            yield read[1]
        place += 1


def fer() -> Run:
    """Return the package fer with its defaults: OpenCV's cascade, and the mini-XCEPTION that ours is, too."""
    from fer.fer import FER

    detector = FER()

    def run(path: Path) -> None:
        faces = [face for picture in pictures(path) for face in detector.detect_emotions(picture)]
        if not faces:
            raise SystemExit("fer found no face.")

    return run


def py_feat() -> Run:
    """Return py-feat's detector with its defaults."""
    from feat.detector import Detectorv1

    detector = Detectorv1(device="cpu")

    def run(path: Path) -> None:
        if not len(detector.detect(str(path), data_type="video", skip_frames=EVERY, progress_bar=False)):
            raise SystemExit("py-feat found no face.")

    return run


SUBJECTS: dict[str, Callable[[], Run]] = {"fer": fer, "py-feat": py_feat}


def main() -> None:
    """Serve the one that is named."""
    serve(SUBJECTS[sys.argv[1]], Path(sys.argv[2]).resolve())


if __name__ == "__main__":
    main()
