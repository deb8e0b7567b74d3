"""template.yaml: who may do what, and that logs are forgotten."""

import pytest

from tests.template_info import FUNCTIONS, HOOK, RESOURCES, TEMPLATE, of_type, properties, resolve, role_of, statements
from video_common.aws.eventbridge import SOURCE
from video_common.job import KEY_PREFIX

# Actions that may be allowed on every resource, and why.
ANY_RESOURCE = {
    "xray:PutTraceSegments": "X-Ray has no resource for segments",
    "xray:PutTelemetryRecords": "X-Ray has no resource for its daemon's records",
}
ANY_RESOURCE_OF_STATES = {
    **dict.fromkeys(("xray:GetSamplingRules", "xray:GetSamplingTargets"), "X-Ray has no resource for its rules"),
    **dict.fromkeys(
        (
            *(f"logs:{action}LogDelivery" for action in ("Create", "Get", "Update", "Delete")),
            *("logs:ListLogDeliveries", "logs:PutResourcePolicy"),
            *("logs:DescribeResourcePolicies", "logs:DescribeLogGroups"),
        ),
        "a state machine's logs are delivered, and deliveries have no resource",
    ),
}
WIDE = {
    "codedeploy:PutLifecycleEventHookExecutionStatus": "SAM names the deployment groups",
    "lambda:InvokeFunction": "each version of one function",
    **dict.fromkeys(
        (f"states:{action}Execution" for action in ("Describe", "Stop", "Redrive")), "executions of one state machine"
    ),
}
"""Actions that may be allowed on a kind of resource, and why."""
EXECUTIONS = "arn:aws:states:ap-southeast-2:123456789012:execution:LongVideos.Name"
UPLOADS, RESULTS = (resolve({"Fn::GetAtt": [name, "Arn"]}) for name in ("UploadsBucket", "ResultsBucket"))
BUS = "arn:aws:events:ap-southeast-2:123456789012:event-bus/default"

MAY = {
    "AnalyzeApi": set(),
    "Jobs": {
        *(
            (f"s3:{action}", f"{UPLOADS}/{KEY_PREFIX}*")
            for action in ("PutObject", "AbortMultipartUpload", "ListMultipartUploadParts")
        ),
        ("s3:DeleteObject", f"{UPLOADS}/*"),
        ("s3:GetObject", f"{RESULTS}/*"),
        ("s3:DeleteObject", f"{RESULTS}/*"),
        *(("s3:ListBucket", bucket) for bucket in (UPLOADS, RESULTS)),
        ("dynamodb:GetItem", "JobsTable.Arn"),
        ("dynamodb:PutItem", "JobsTable.Arn"),
    },
    "AnalyzeUploads": {
        *(
            (f"s3:{action}", f"{UPLOADS}/*")
            for action in ("GetObject", "GetObjectVersion", "DeleteObject", "DeleteObjectVersion")
        ),
        *(("s3:ListBucket", bucket) for bucket in (UPLOADS, RESULTS)),
        *((f"s3:{action}", f"{RESULTS}/*") for action in ("PutObject", "DeleteObject")),
        ("s3:GetObject", f"{RESULTS}/work/*"),
        ("states:StartExecution", "LongVideos"),
        *((f"states:{action}Execution", f"{EXECUTIONS}:*") for action in ("Describe", "Redrive")),
        *(
            ("sqs:SendMessage", resolve({"Fn::GetAtt": [queue, "Arn"]}))
            for queue in ("UploadsParked", "UploadsDeadLetters")
        ),
        ("secretsmanager:GetSecretValue", "JobIdSecret"),
        *((f"dynamodb:{action}", "JobsTable.Arn") for action in ("GetItem", "UpdateItem")),
        *(
            (f"dynamodb:{action}", "IdempotencyTable.Arn")
            for action in ("GetItem", "PutItem", "UpdateItem", "DeleteItem")
        ),
        *(
            (f"sqs:{action}", resolve({"Fn::GetAtt": ["UploadsQueue", "Arn"]}))
            for action in (
                *("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"),
                *("ChangeMessageVisibility", "SendMessage"),
            )
        ),
        ("events:PutEvents", BUS),
    },
    "GiveUp": {
        *(
            (f"sqs:{action}", resolve({"Fn::GetAtt": ["UploadsDeadLetters", "Arn"]}))
            for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
        ),
        ("sqs:SendMessage", resolve({"Fn::GetAtt": ["UploadsParked", "Arn"]})),
        ("secretsmanager:GetSecretValue", "JobIdSecret"),
        *((f"dynamodb:{action}", "JobsTable.Arn") for action in ("GetItem", "UpdateItem")),
        ("events:PutEvents", BUS),
    },
    HOOK: {
        *(("lambda:InvokeFunction", f"{name}.Version") for name in FUNCTIONS),
        (
            "codedeploy:PutLifecycleEventHookExecutionStatus",
            "arn:aws:codedeploy:ap-southeast-2:123456789012:deploymentgroup:*",
        ),
    },
}


def test_nothing_is_allowed_more_widely_than_there_is_a_reason_for():
    allowed = [statement for name in RESOURCES for statement in statements(name) if statement["Effect"] == "Allow"]
    assert allowed
    for statement in allowed:
        assert not {"NotAction", "NotResource", "NotPrincipal"} & statement.keys()
        assert statement.get("Principal") != "*"
        assert [action for action in statement["Action"] if "*" in action] == []
        if "*" in statement["Resource"]:
            assert set(statement["Action"]) <= {*ANY_RESOURCE, *ANY_RESOURCE_OF_STATES}
        # Below a bucket, by its whole name
        wide = [item for item in statement["Resource"] if "*" in item.removesuffix("/*") and item != "*"]
        assert wide == [] or set(statement["Action"]) <= set(WIDE)


def test_permissions_come_from_the_written_roles_only():
    # SAM would add AWS's managed policies, which allow on every resource.
    assert {role_of(name) for name in (*FUNCTIONS, HOOK)} | {"LongVideosRole"} == set(of_type("AWS::IAM::Role"))
    assert of_type("AWS::IAM::Policy") + of_type("AWS::IAM::ManagedPolicy") == []
    for name in (*FUNCTIONS, HOOK):
        assert "Policies" not in RESOURCES[name]["Properties"]
        assert "ManagedPolicyArns" not in properties(role_of(name))
        (trust,) = properties(role_of(name))["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}


@pytest.mark.parametrize("name", [*FUNCTIONS, HOOK])
def test_function_may_do_what_it_does(name):
    # Given what a role allows, action by action
    allowed = {
        (action, resource)
        for item in statements(role_of(name))
        for action in item["Action"]
        for resource in item["Resource"]
    }
    # Then it writes to its own logs, sends its traces, does its work, and that is all
    own_logs = f"{properties(name)['LoggingConfig']['LogGroup']['Ref']}.Arn"
    expected = {("logs:CreateLogStream", own_logs), ("logs:PutLogEvents", own_logs)}
    expected |= {(action, "*") for action in ANY_RESOURCE}
    assert allowed == expected | MAY[name]


def test_the_jobs_function_lists_asked_for_uploads_only():
    lists = [item for item in statements("JobsRole") if "s3:ListBucket" in item["Action"]]
    conditions = {resource: item.get("Condition") for item in lists for resource in item["Resource"]}
    assert conditions == {UPLOADS: {"StringLike": {"s3:prefix": f"{KEY_PREFIX}*"}}, RESULTS: None}


@pytest.mark.parametrize("role", ["AnalyzeUploadsRole", "GiveUpRole"])
def test_the_worker_publishes_in_its_own_name(role):
    conditions = [item.get("Condition") for item in statements(role) if "events:PutEvents" in item["Action"]]
    assert conditions == [{"ForAllValues:StringEquals": {"events:source": SOURCE}, "Null": {"events:source": "false"}}]


def test_every_log_group_forgets():
    groups = of_type("AWS::Logs::LogGroup")
    of_functions = {properties(name)["LoggingConfig"]["LogGroup"]["Ref"] for name in (*FUNCTIONS, HOOK)}
    assert of_functions | {"LongVideosLogs"} == set(groups)
    for name in groups:
        assert (
            resolve(properties(name)["RetentionInDays"]) in TEMPLATE["Parameters"]["LogRetentionDays"]["AllowedValues"]
        )


def test_the_state_machine_may_call_the_function_and_keep_its_own_records():
    wide = {action for item in statements("LongVideosRole") for action in item["Action"] if "*" in item["Resource"]}
    assert wide == {*ANY_RESOURCE, *ANY_RESOURCE_OF_STATES}
    calls = properties("LongVideosCalls")["PolicyDocument"]["Statement"]
    assert [(one["Action"], resolve(one["Resource"])) for one in calls] == [
        ("lambda:InvokeFunction", "AnalyzeUploads.Arn:*"),
        ("states:StartExecution", "LongVideos"),
        ([f"states:{action}Execution" for action in ("Describe", "Stop", "Redrive")], f"{EXECUTIONS}/*:*"),
    ]
    (trust,) = properties("LongVideosRole")["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "states.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
