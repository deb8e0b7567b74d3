"""What a restored environment creates again."""

import random

from snapshot_restore_py import get_after_restore

from tests.fakes import LambdaContext, rest_event
from video_common.aws import clients


def test_after_a_restore_clients_and_random_numbers_are_new(handler_module):
    # Given two environments that begin as the same snapshot
    before = clients.client("s3")
    state = random.getstate()
    handler_module.reader.prepare()
    (spare,) = handler_module.reader._spares
    numbers = []
    for _ in range(2):
        random.setstate(state)
        # When each of them is restored
        for function, arguments, keywords in get_after_restore():
            function(*arguments, **keywords)
        numbers.append(random.random())
    # Then they share neither a client nor what random waits come from
    assert clients.client("s3") is not before
    assert numbers[0] != numbers[1]
    # And the spare child is another process
    assert spare not in handler_module.reader._spares
    assert spare._process.returncode is not None
    # And answers go on
    event = rest_event(None, content_type=None, method="GET", path="/")
    assert handler_module.handler(event, LambdaContext())["statusCode"] == 200
