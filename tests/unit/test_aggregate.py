"""The laws of aggregation."""

import math

from hypothesis import given
from hypothesis import strategies as st

from tests.videos_info import DETECTOR, MODEL, SETTINGS, info_of
from video_common import limits
from video_common.limits import PROBABILITY_UNITS
from video_common.schema import EMOTION_LABELS
from video_emotions.aggregate import Observation, Report, ScoredFace, summarise
from video_emotions.boxes import Box
from video_emotions.people import PersonSums
from video_emotions.responses import build_result

SCORES = st.tuples(*[st.integers(0, PROBABILITY_UNITS)] * 7)
FACES = st.builds(
    ScoredFace,
    st.just(Box(0, 0, 10, 10)),
    st.booleans(),
    SCORES,
    track=st.none() | st.integers(1, 4),
    eye_contact=st.booleans(),
)
OBSERVATIONS = st.lists(
    st.builds(
        Observation,
        st.integers(0, 10**6),
        st.integers(0, 10**8),
        st.booleans(),
        st.lists(FACES, max_size=3).map(tuple),
        st.integers(0, 100),
    ),
    max_size=30,
)


def result_of(report: Report, include: str | None = None):
    return build_result(report, info_of(1), SETTINGS.model_copy(update={"include": include}), DETECTOR, MODEL, {})


@given(OBSERVATIONS, st.booleans(), st.data())
def test_reports_of_segments_merge_to_the_report_of_the_whole(observations, all_vote, data):
    cut = data.draw(st.integers(0, len(observations)))
    parts = [observations[:cut], observations[cut:]]
    kept = {"keep_timeline": True, "all_vote": all_vote}
    whole = summarise(observations, frames_wanted=len(observations) + 3, **kept)
    first, second = (
        summarise(part, frames_wanted=len(part) + extra, **kept) for part, extra in zip(parts, (1, 2), strict=True)
    )
    assert first + second == whole
    assert Report() + whole == whole == whole + Report()
    assert result_of(first + second, "people") == result_of(whole, "people")


@given(OBSERVATIONS, OBSERVATIONS, OBSERVATIONS)
def test_merging_is_associative(a, b, c):
    x, y, z = (summarise(part, frames_wanted=len(part)) for part in (a, b, c))
    assert (x + y) + z == x + (y + z)


@given(OBSERVATIONS)
def test_scores_are_percents_of_votes_and_never_nan(observations):
    result = result_of(summarise(observations, frames_wanted=len(observations)))
    scores = list(result.average_emotion_scores.model_dump().values())
    voting = [seen for seen in observations if seen.faces]
    if voting:
        assert math.isclose(sum(scores), 100, abs_tol=1e-9)
        assert result.overall_dominant_emotion == EMOTION_LABELS[scores.index(max(scores))]
    else:
        assert scores == [0.0] * 7
        assert result.overall_dominant_emotion is None
        assert result.average_confidence_score == 0.0
    assert 0 <= result.average_confidence_score <= 1
    assert 0 <= result.eye_contact_score <= 100
    assert result.total_frames_analyzed == len(observations)


@given(st.lists(SCORES, min_size=1, max_size=20))
def test_each_frame_votes_once_for_its_first_face(rows):
    observations = [Observation(i, i, False, (ScoredFace(Box(0, 0, 1, 1), True, row),)) for i, row in enumerate(rows)]
    report = summarise(observations, frames_wanted=len(rows))
    for place in range(7):
        assert report.votes[place] == sum(row.index(max(row)) == place for row in rows)
        assert report.probability_sums[place] == sum(row[place] for row in rows)
    assert report.confidence_sum == sum(max(row) for row in rows)


@given(OBSERVATIONS)
def test_all_faces_vote_where_that_is_asked_for(observations):
    faces = [face for seen in observations for face in seen.faces]
    report = summarise(observations, frames_wanted=len(observations), all_vote=True)
    assert sum(report.votes) == len(faces)
    for place in range(7):
        assert report.votes[place] == sum(face.dominant == place for face in faces)
    assert report.ballots == tuple(tuple(face.dominant for face in seen.faces) for seen in observations)
    assert report.eye_contacts == sum(seen.eye_contact for seen in observations)


@given(OBSERVATIONS)
def test_each_face_counts_for_its_person(observations):
    report = summarise(observations, frames_wanted=len(observations))
    for person in report.people:
        times = [seen.time_ms for seen in observations for face in seen.faces if face.track == person.track]
        faces = [face for seen in observations for face in seen.faces if face.track == person.track]
        assert (person.first_ms, person.last_ms, person.frames) == (min(times), max(times), len(faces))
        assert person.eye_contacts == sum(face.eye_contact for face in faces)
        assert sum(person.votes) == len(faces)
    numbers = {face.track for seen in observations for face in seen.faces} - {None}
    assert [person.track for person in report.people] == sorted(numbers)


def test_people_are_listed_by_their_first_frame_and_the_briefest_are_left_out(monkeypatch):
    monkeypatch.setattr(limits, "MAX_PEOPLE", 2)
    votes = (1, 0, 0, 3, 0, 0, 0)
    people = tuple(PersonSums(track, 0, 900, frames, 1, votes) for track, frames in ((1, 4), (2, 2), (3, 8)))
    result = result_of(Report(people=people), "people")
    assert ([person.track for person in result.people], result.people_left_out) == ([1, 3], 1)
    assert result.people[0].average_emotion_scores.happy == 75
    assert result.people[0].eye_contact_score == 25
    without = result_of(Report(people=people), "timeline")
    assert (without.people, without.people_left_out) == (None, None)


def test_the_intervals_of_a_result_are_percents_that_hold_their_scores():
    rows = [(0, 0, 0, 9, 1, 0, 0), (0, 0, 0, 1, 9, 0, 0), (0, 0, 0, 9, 1, 0, 0)] * 20
    observations = [
        Observation(i, i, i % 4 == 0, (ScoredFace(Box(0, 0, 1, 1), True, row),)) for i, row in enumerate(rows)
    ]
    result = result_of(summarise(observations, frames_wanted=len(rows)))
    happy = result.average_emotion_scores_interval.happy
    assert 40 < happy.low < result.average_emotion_scores.happy < happy.high < 80
    contact = result.eye_contact_score_interval
    assert 10 < contact.low < result.eye_contact_score < contact.high < 40


def test_a_tie_goes_to_the_first_label():
    happy_sad = [(0, 0, 0, 9, 1, 0, 0), (0, 0, 0, 1, 9, 0, 0)]
    observations = [
        Observation(i, i, False, (ScoredFace(Box(0, 0, 1, 1), True, row),)) for i, row in enumerate(happy_sad)
    ]
    assert result_of(summarise(observations, frames_wanted=2)).overall_dominant_emotion == "happy"
    assert ScoredFace(Box(0, 0, 1, 1), True, (5, 5, 5, 5, 5, 5, 5)).dominant == 0


def test_a_frame_without_a_detected_face_is_no_frame_with_face():
    stand_in = Observation(0, 0, False, (ScoredFace(Box(0, 0, 640, 360), False, (0, 0, 0, 0, 0, 0, 9)),))
    report = summarise([stand_in], frames_wanted=1)
    assert (report.frames_with_face, sum(report.votes)) == (0, 1)


def test_what_was_wanted_and_did_not_come_is_unreadable():
    report = summarise([Observation(0, 0, False, ())], frames_wanted=4, until_ms=80)
    assert (report.frames_analyzed, report.frames_unreadable, report.truncated) == (1, 3, True)


def test_faces_left_out_of_crowds_are_added_up():
    crowds = [Observation(i, i, False, (), left_out) for i, left_out in enumerate((2, 0, 3))]
    assert result_of(summarise(crowds, frames_wanted=3)).faces_left_out == 5
    assert result_of(summarise([], frames_wanted=0)).faces_left_out == 0
