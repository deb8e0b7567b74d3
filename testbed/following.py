"""How well numbered boxes follow the people of a walk, whose truth is known."""

from dataclasses import dataclass

from testbed.walks import Walk
from video_emotions.boxes import Box


@dataclass(frozen=True, slots=True)
class Followed:
    """How well tracks followed the people of a walk.

    Attributes
    ----------
    switches : int
        A person got a number that was another person's first.
    fragments : int
        A person who had a number got another one that was nobody else's.
    missed : int
        Frames in which a face could be found, and was not.
    across : int
        Numbers that were seen on both sides of a cut.
    """

    switches: int = 0
    fragments: int = 0
    missed: int = 0
    across: int = 0

    @property
    def kept(self) -> bool:
        """Each person had one number, and nobody else had it."""
        return not self.switches and not self.fragments and not self.across


def judge(walk: Walk, frames: range, found: list[list[tuple[Box, int]]]) -> Followed:
    """Compare numbered boxes with the truth.

    Frames in which two faces overlap are not compared, because there nobody can say whose face a box is.

    Parameters
    ----------
    walk : Walk
    frames : range
        The sampled ones.
    found : list of list of (Box, int)
        For each of them, the boxes with their numbers.
    """
    numbers: dict[int, int] = {}
    owners: dict[int, int] = {}
    scenes: dict[int, set[int]] = {}
    switches = fragments = missed = 0
    for frame, boxes in zip(frames, found, strict=True):
        for _, number in boxes:
            scenes.setdefault(number, set()).add(int(walk.scenes[frame]))
        truth = walk.boxes(frame)
        for person, box in enumerate(truth):
            if box is None or any(other and other is not box and box.overlap(other) > 0.02 for other in truth):
                continue
            overlap, number = max(((box.overlap(other), number) for other, number in boxes), default=(0.0, 0))
            if overlap < 0.25:
                missed += 1
                continue
            if numbers.get(person) != number:
                is_stolen = owners.setdefault(number, person) != person
                switches += is_stolen
                fragments += person in numbers and not is_stolen
            numbers[person] = number
    return Followed(switches, fragments, missed, sum(len(seen) > 1 for seen in scenes.values()))
