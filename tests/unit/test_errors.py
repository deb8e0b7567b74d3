"""Errors: their codes, statuses and documents, and what docs/api.md says of them."""

import json
import re

from local.engine import ROOT
from local.openapi.problems import GATEWAY, GATEWAY_PROTECTED
from video_common import errors

API = ROOT / "docs/api.md"


def leaves(kind: type[errors.VideoEmotionsError]) -> list[type[errors.VideoEmotionsError]]:
    below = kind.__subclasses__()
    return [kind] if not below else [leaf for each in below for leaf in leaves(each)]


def test_the_api_page_has_every_code_of_callers_with_its_status():
    rows = re.findall(r"^\|[^|]+\| (\d{3}) \| ([^|]+) \|$", API.read_text(), re.MULTILINE)
    told = {(int(status), code) for status, codes in rows for code in re.findall(r"`(\w+)`", codes)}
    ours = {(int(leaf.status), leaf.code) for leaf in leaves(errors.RequestError) + leaves(errors.VideoError)}
    assert ours - told == set()
    functions = {(int(leaf.status), leaf.code) for leaf in leaves(errors.VideoEmotionsError)}
    tables = (GATEWAY, GATEWAY_PROTECTED)
    gateway = {(status, code) for answers in tables for status, titles in answers.items() for code in titles}
    assert gateway <= told <= functions | gateway


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
