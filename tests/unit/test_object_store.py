"""What the S3 adapter keeps between calls. What it does with S3: tests/contract and tests/e2e."""

from video_common.aws.s3 import S3ObjectStore


def test_after_a_restore_the_next_call_makes_a_new_client(s3):
    store = S3ObjectStore()
    store.put("video-emotions-results", "renewed.json", "{}", "application/json")
    before = store._client
    assert store._client is before
    store.renew()
    store.renew()  # a second time there is nothing to forget
    store.put("video-emotions-results", "renewed.json", "{}", "application/json")
    assert store._client is not before
