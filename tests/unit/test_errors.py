"""The error tree is what its picture says."""

import json
import re

from video_common import errors


def leaves(kind: type[errors.VideoEmotionsError]) -> list[type[errors.VideoEmotionsError]]:
    below = kind.__subclasses__()
    return [kind] if not below else [leaf for each in below for leaf in leaves(each)]


def test_the_picture_shows_every_leaf_with_its_status_and_code():
    drawn = set(re.findall(r"\+-- (\w+)\s+(\d{3}) (\w+)", errors.__doc__))
    real = {(leaf.__name__, str(int(leaf.status)), leaf.code) for leaf in leaves(errors.VideoEmotionsError)}
    assert drawn == real


def test_codes_are_unique_and_callers_errors_are_4xx():
    all_leaves = leaves(errors.VideoEmotionsError)
    assert len({leaf.code for leaf in all_leaves}) == len(all_leaves)
    for leaf in all_leaves:
        assert (leaf.status < 500) == issubclass(leaf, errors.RequestError | errors.VideoError)


def test_a_problem_has_the_members_of_rfc_9457_and_ours():
    document = json.loads(json.dumps(errors.NotAVideo("what to do").problem("request-1")))
    assert document == {
        "type": "urn:video-emotions:problem:not_a_video",
        "title": "The file is not a video",
        "status": 422,
        "detail": "what to do",
        "code": "not_a_video",
        "request_id": "request-1",
    }
