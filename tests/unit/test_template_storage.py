"""template.yaml: buckets, queues and tables, and the way from the one to the other."""

import inspect
import re

import pytest
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer

from local.cloud import DEAD_LETTER_SECONDS
from tests.template_info import (
    BUCKETS,
    FUNCTIONS,
    QUEUES,
    RESOURCES,
    TABLES,
    TEMPLATE,
    of_type,
    properties,
    resolve,
    statements,
)
from video_common import limits
from video_common.aws import dynamodb
from video_common.job import Job, JobStatus
from video_common.limits import MAX_RECEIVES

DAY = 24 * 60 * 60


def worker_events() -> dict:
    return properties("AnalyzeUploads")["Events"]


# -- Buckets ----------------------------------------------------------------------------------------------------------


def test_only_videos_set_something_going():
    assert set(of_type("AWS::S3::Bucket")) == set(BUCKETS)
    assert properties("UploadsBucket")["NotificationConfiguration"] == {
        "QueueConfigurations": [{"Event": "s3:ObjectCreated:*", "Queue": {"Fn::GetAtt": ["UploadsQueue", "Arn"]}}]
    }
    assert RESOURCES["UploadsBucket"]["DependsOn"] == "UploadsQueuePolicy"
    assert resolve({"Ref": "UploadsBucket"}) != resolve({"Ref": "ResultsBucket"})
    assert "NotificationConfiguration" not in properties("ResultsBucket")
    # And no function hears of an object without the queue
    assert {event["Type"] for name in FUNCTIONS for event in properties(name)["Events"].values()} == {
        *("Api", "SQS"),
        "EventBridgeRule",  # of the state machine
    }


@pytest.mark.parametrize("name", BUCKETS)
def test_bucket_name_is_legal_whatever_the_stack_is_called(name):
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", resolve({"Ref": name}))


@pytest.mark.parametrize("name", BUCKETS)
def test_bucket_is_private_encrypted_and_forgets(name):
    bucket = properties(name)
    assert bucket["PublicAccessBlockConfiguration"] == dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    days = [
        resolve(rule["ExpirationInDays"])
        for rule in bucket["LifecycleConfiguration"]["Rules"]
        if rule["Status"] == "Enabled" and "ExpirationInDays" in rule
    ]
    assert len(days) == 1
    assert days[0] >= 1


def test_a_video_is_there_until_its_last_try():
    (rule, _) = properties("UploadsBucket")["LifecycleConfiguration"]["Rules"]
    assert resolve(rule["ExpirationInDays"]) * DAY >= properties("UploadsQueue")["MessageRetentionPeriod"]


@pytest.mark.parametrize("name", BUCKETS)
def test_bucket_speaks_tls_only(name):
    (policy,) = [item for item in of_type("AWS::S3::BucketPolicy") if properties(item)["Bucket"] == {"Ref": name}]
    (statement,) = statements(policy)
    arn = resolve({"Fn::GetAtt": [name, "Arn"]})
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", ["s3:*"])
    assert statement["Resource"] == [arn, f"{arn}/*"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("no_page", [{"Page": "off"}, {"ApiAuth": "iam"}, {"ApiAuth": "cognito"}])
def test_a_page_may_post_the_form_and_nothing_else(no_page):
    (rule,) = resolve(
        properties("UploadsBucket")["CorsConfiguration"]["CorsRules"], CorsAllowOrigin="https://a.example", **no_page
    )
    assert ([origin for origin in rule["AllowedOrigins"] if origin], rule["AllowedMethods"]) == (
        ["https://a.example"],
        ["POST", "PUT"],
    )
    assert rule["ExposedHeaders"] == ["ETag"]  # of a part, which a page needs to see that it arrived
    assert rule["AllowedHeaders"] == ["*"]


@pytest.mark.parametrize(("bucket", "methods"), [("UploadsBucket", ["POST", "PUT"]), ("ResultsBucket", ["GET"])])
def test_the_deployments_own_page_may_use_the_buckets_whatever_origin_is_allowed(bucket, methods):
    (rule,) = resolve(properties(bucket)["CorsConfiguration"]["CorsRules"], CorsAllowOrigin="https://a.example")
    assert rule["AllowedOrigins"] == ["https://a.example", "https://*.execute-api.ap-southeast-2.amazonaws.com"]
    assert rule["AllowedMethods"] == methods


# -- Queues -----------------------------------------------------------------------------------------------------------


def test_every_queue_has_dead_letters_or_is_for_them():
    assert set(of_type("AWS::SQS::Queue")) == set(QUEUES)
    redrive = properties("UploadsQueue")["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["UploadsDeadLetters", "Arn"]}
    # A first try and three more, here and where it is emulated
    assert redrive["maxReceiveCount"] == MAX_RECEIVES == 4
    # And the other takes them from that queue alone, and keeps them longer
    assert resolve(properties("UploadsDeadLetters")["RedriveAllowPolicy"]) == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [resolve({"Fn::GetAtt": ["UploadsQueue", "Arn"]})],
    }
    queue, dead, parked = (properties(name)["MessageRetentionPeriod"] for name in QUEUES)
    assert (queue, dead, parked) == (4 * DAY, 14 * DAY, 14 * DAY)
    assert dead == limits.DELIVERY_DAYS * DAY
    # And what is parked stays until somebody comes: no function and no other queue takes it
    assert "RedrivePolicy" not in properties("UploadsParked")
    fed = [
        event["Properties"]["Queue"]
        for name in FUNCTIONS
        for event in properties(name)["Events"].values()
        if event["Type"] == "SQS"
    ]
    assert fed == [{"Fn::GetAtt": [name, "Arn"]} for name in ("UploadsQueue", "UploadsDeadLetters")]


def test_dead_letters_are_given_up_one_by_one_and_again_after_a_lease():
    (event,) = properties("GiveUp")["Events"].values()
    assert event["Properties"] == {
        "Queue": {"Fn::GetAtt": ["UploadsDeadLetters", "Arn"]},
        "BatchSize": 1,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 2},
    }
    visibility = properties("UploadsDeadLetters")["VisibilityTimeout"]
    assert visibility == DEAD_LETTER_SECONDS >= 6 * properties("GiveUp")["Timeout"]
    assert visibility > limits.LEASE_SECONDS


def test_an_event_about_an_execution_that_three_tries_did_not_handle_becomes_a_dead_letter():
    called = properties("AnalyzeUploads")["EventInvokeConfig"]
    assert called["MaximumRetryAttempts"] == 2
    assert called["DestinationConfig"]["OnFailure"] == {
        "Type": "SQS",
        "Destination": {"Fn::GetAtt": ["UploadsDeadLetters", "Arn"]},
    }


def test_no_lease_outlives_the_time_after_which_a_message_comes_back():
    # A lease ends with the invocation. The queue hides the message for longer.
    assert resolve({"Ref": "VisibilitySeconds"}) > properties("AnalyzeUploads")["Timeout"]


def test_a_message_comes_again_when_its_worker_is_dead():
    timeout = properties("AnalyzeUploads")["Timeout"]
    parameter = TEMPLATE["Parameters"]["VisibilitySeconds"]
    assert properties("UploadsQueue")["VisibilityTimeout"] == {"Ref": "VisibilitySeconds"}
    assert parameter["MinValue"] == parameter["Default"] == timeout + 60
    assert parameter["MaxValue"] <= 12 * 60 * 60
    # And is not dropped before its last try
    assert 4 * parameter["Default"] < properties("UploadsQueue")["MessageRetentionPeriod"]


def test_the_queue_feeds_the_worker_video_by_video():
    (event,) = [event for event in worker_events().values() if event["Type"] == "SQS"]
    assert event["Properties"] == {
        "Queue": {"Fn::GetAtt": ["UploadsQueue", "Arn"]},
        "BatchSize": 1,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": {"Ref": "MaxConcurrency"}},
    }
    parameter = TEMPLATE["Parameters"]["MaxConcurrency"]
    assert (parameter["Default"], parameter["MinValue"], parameter["MaxValue"]) == (2, 2, 1000)


def test_the_worker_hears_of_executions_that_failed():
    (event,) = [event for event in worker_events().values() if event["Type"] == "EventBridgeRule"]
    assert event["Properties"]["Pattern"] == {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"status": ["FAILED", "TIMED_OUT", "ABORTED"], "stateMachineArn": [{"Ref": "LongVideos"}]},
    }


@pytest.mark.parametrize("name", QUEUES)
def test_queue_is_encrypted_and_speaks_tls_only(name):
    assert properties(name)["SqsManagedSseEnabled"] is True
    arn = resolve({"Fn::GetAtt": [name, "Arn"]})
    (policy,) = [item for item in of_type("AWS::SQS::QueuePolicy") if properties(item)["Queues"] == [{"Ref": name}]]
    (deny,) = [item for item in statements(policy) if item["Effect"] == "Deny"]
    assert (deny["Principal"], deny["Action"], deny["Resource"]) == ("*", ["sqs:*"], [arn])
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_only_the_uploads_bucket_of_this_account_sends():
    allowed = [
        item for name in of_type("AWS::SQS::QueuePolicy") for item in statements(name) if item["Effect"] == "Allow"
    ]
    (allow,) = allowed
    assert allow["Principal"] == {"Service": "s3.amazonaws.com"}
    assert (allow["Action"], allow["Resource"]) == (
        ["sqs:SendMessage"],
        [resolve({"Fn::GetAtt": ["UploadsQueue", "Arn"]})],
    )
    assert allow["Condition"] == {
        "ArnEquals": {"aws:SourceArn": resolve({"Fn::GetAtt": ["UploadsBucket", "Arn"]})},
        "StringEquals": {"aws:SourceAccount": "123456789012"},
    }


# -- Tables -----------------------------------------------------------------------------------------------------------


def test_tables_have_the_keys_and_times_to_live_that_the_code_writes():
    # Given what our code and Powertools write
    job = Job(job_id="a", status=JobStatus.PENDING, key="k", created_at=1, updated_at=1, expires_at=1)
    powertools = inspect.signature(DynamoDBPersistenceLayer.__init__).parameters
    written = {
        "JobsTable": ("job_id", "delete_at"),
        "IdempotencyTable": (powertools["key_attr"].default, powertools["expiry_attr"].default),
    }
    assert set(written["JobsTable"]) <= dynamodb._item(job).keys()
    # Then the tables go by it
    for name, (key, expiry) in written.items():
        assert properties(name)["AttributeDefinitions"] == [{"AttributeName": key, "AttributeType": "S"}]
        assert properties(name)["KeySchema"] == [{"AttributeName": key, "KeyType": "HASH"}]
        assert properties(name)["TimeToLiveSpecification"] == {"AttributeName": expiry, "Enabled": True}
    assert set(of_type("AWS::DynamoDB::Table")) == written.keys() == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_table_is_paid_by_use_encrypted_and_can_be_restored(name):
    assert properties(name)["BillingMode"] == "PAY_PER_REQUEST"
    assert properties(name)["SSESpecification"] == {"SSEEnabled": True}
    assert properties(name)["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    protected = properties(name)["DeletionProtectionEnabled"]
    assert [resolve(protected), resolve(protected, DeletionProtection="true")] == ["false", "true"]
