"""template.yaml: what somebody should hear of, and what takes a new version back."""

import re

import pytest

from tests.template_info import (
    FUNCTIONS,
    HOOK,
    RESOURCES,
    ROOT,
    TEMPLATE,
    condition,
    of_type,
    properties,
    references,
    resolve,
)
from video_common.metrics import NAMESPACE, Metric

ALARMS = of_type("AWS::CloudWatch::Alarm")
HEALTH = [name for name in ALARMS if "Condition" not in RESOURCES[name]]
DEPLOYMENT = [name for name in ALARMS if RESOURCES[name].get("Condition") == "Gradual"]


def dimensions(alarm: str) -> dict[str, str]:
    return {item["Name"]: resolve(item["Value"]) for item in properties(alarm)["Dimensions"]}


def watches(metric: str, **wanted: str) -> list[dict]:
    """Return the health alarms of a metric of one thing."""
    return [
        properties(name) for name in HEALTH if properties(name)["MetricName"] == metric and dimensions(name) == wanted
    ]


def test_a_dead_letter_is_heard_of_at_once():
    (alarm,) = watches("ApproximateNumberOfMessagesVisible", QueueName="UploadsParked.QueueName")
    assert (alarm["Namespace"], alarm["Statistic"]) == ("AWS/SQS", "Maximum")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
    assert alarm["EvaluationPeriods"] == 1


def test_what_waits_is_heard_of_in_minutes_and_not_for_one_upload_that_takes_its_time():
    (alarm,) = watches("ApproximateAgeOfOldestMessage", QueueName="UploadsQueue.QueueName")
    assert (alarm["Namespace"], alarm["Statistic"]) == ("AWS/SQS", "Maximum")
    assert properties("AnalyzeUploads")["Timeout"] < alarm["Threshold"] <= 3600


def test_a_dead_letter_that_nobody_takes_is_heard_of():
    (alarm,) = watches("ApproximateAgeOfOldestMessage", QueueName="UploadsDeadLetters.QueueName")
    assert (alarm["Namespace"], alarm["Statistic"]) == ("AWS/SQS", "Maximum")
    # One that waits for the end of a lease is not meant
    visibility = properties("UploadsDeadLetters")["VisibilityTimeout"]
    assert properties("AnalyzeUploads")["Timeout"] + visibility < alarm["Threshold"] <= 3600


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_every_functions_failures_are_heard_of(name, metric):
    (alarm,) = watches(metric, FunctionName=name)
    assert (alarm["Namespace"], alarm["Statistic"], alarm["Threshold"]) == ("AWS/Lambda", "Sum", 1)
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_watched_near_its_time_out(name):
    (alarm,) = watches("Duration", FunctionName=name)
    assert (alarm["Namespace"], alarm["ExtendedStatistic"]) == ("AWS/Lambda", "p95")
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    milliseconds = properties(name)["Timeout"] * 1000
    assert 0.8 * milliseconds <= alarm["Threshold"] < 0.95 * milliseconds
    # And the description's numbers are the alarm's
    numbers = [int(text) for text in re.findall(r"\d+", alarm["AlarmDescription"])]
    assert numbers == [alarm["Threshold"] // 1000, properties(name)["Timeout"]]


def test_the_gateways_own_errors_are_heard_of():
    (alarm,) = watches("5XXError", ApiName=resolve({"Ref": "AWS::StackName"}), Stage=properties("Api")["StageName"])
    assert (alarm["Namespace"], alarm["Statistic"], alarm["Threshold"]) == ("AWS/ApiGateway", "Sum", 1)


@pytest.mark.parametrize("metric", ["ExecutionsFailed", "ExecutionsTimedOut"])
def test_executions_that_fail_or_do_not_end_are_heard_of(metric):
    (alarm,) = watches(metric, StateMachineArn="LongVideos")
    assert (alarm["Namespace"], alarm["Statistic"], alarm["Threshold"]) == ("AWS/States", "Sum", 1)


def test_nothing_else_is_watched():
    # Three of the queues, one of the gateway, two of the state machine, and of each function Errors, Throttles,
    # Duration and its own Failures, which tests/contract/test_metrics.py follows from the code
    assert len(HEALTH) == 6 + 4 * len(FUNCTIONS)


@pytest.mark.parametrize("name", HEALTH)
def test_an_alarm_reaches_the_topic_if_there_is_one(name):
    topic = "arn:aws:sns:ap-southeast-2:123456789012:on-call"
    actions = properties(name)["AlarmActions"]
    assert resolve(actions) is None
    assert resolve(actions, AlarmTopicArn=topic) == [topic]
    pattern = TEMPLATE["Parameters"]["AlarmTopicArn"]["AllowedPattern"]
    assert re.fullmatch(pattern, topic)
    assert re.fullmatch(pattern, "")
    assert not re.fullmatch(pattern, "on-call")


@pytest.mark.parametrize("name", ALARMS)
def test_a_quiet_stack_raises_no_alarm(name):
    assert properties(name)["TreatMissingData"] == "notBreaching"
    assert properties(name).get("Period", 60) % 60 == 0


@pytest.mark.parametrize("name", HEALTH)
def test_the_runbook_says_what_to_do(name):
    assert f"`{name}`" in (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_only_prod_deploys_gradually(name):
    preference = properties(name)["DeploymentPreference"]
    environments = TEMPLATE["Parameters"]["Environment"]["AllowedValues"]
    gradual = {item: resolve(preference["Enabled"], Environment=item) for item in environments}
    assert gradual == {"default": "false", "staging": "false", "prod": "true"}
    # And an alarm that takes a version back exists there, and looks at what the new version does through the alias
    assert [item for item in resolve(preference["Alarms"]) if item is not None] == []
    alarms = resolve(preference["Alarms"], Environment="prod")
    assert alarms
    for alarm in alarms:
        assert RESOURCES[alarm]["Condition"] == "Gradual"
        if properties(alarm)["Namespace"] == "AWS/Lambda":
            assert properties(alarm)["Dimensions"] == [
                {"Name": "FunctionName", "Value": {"Ref": name}},
                {"Name": "Resource", "Value": {"Fn::Sub": f"${{{name}}}:live"}},
                {"Name": "ExecutedVersion", "Value": {"Fn::GetAtt": [name, "Version.Version"]}},
            ]
    assert [item for item in alarms if "ExecutedVersion" in dimensions(item)]
    # And the gateway, which knows no versions, watches the functions that it calls
    called = {event["Type"] for event in properties(name)["Events"].values()} == {"Api"}
    assert ("GatewayErrors" in alarms) is called
    # And the watch lasts longer than an invocation
    canary = re.fullmatch(r"Canary10Percent(\d+)Minutes", preference["Type"])
    assert canary
    assert int(canary[1]) * 60 > properties(name)["Timeout"]


def test_a_budget_counts_what_all_functions_cost_in_a_day():
    alarm = properties("AlarmBudget")
    total, *parts = alarm["Metrics"]
    assert total["Expression"] == "SUM(METRICS())"
    watched = [item["MetricStat"]["Metric"] for item in parts]
    assert {(item["Namespace"], item["MetricName"]) for item in watched} == {(NAMESPACE, Metric.DOLLARS)}
    found = [{each["Name"]: resolve(each["Value"]) for each in item["Dimensions"]} for item in watched]
    place = {"Stack": resolve({"Ref": "AWS::StackName"}), "Environment": "default"}
    assert found == [{**place, "Function": name} for name in ("AnalyzeApi", "Jobs", "AnalyzeUploads", "GiveUp")]
    assert {item["MetricStat"]["Period"] for item in parts} == {24 * 60 * 60}
    assert [item["ReturnData"] for item in parts] == [False] * len(FUNCTIONS)
    # And it is there for who names a sum
    assert RESOURCES["AlarmBudget"]["Condition"] == "WithBudget"
    assert [condition("WithBudget", DollarsPerDay=dollars) for dollars in ("0", "2.5")] == [False, True]
    assert resolve(alarm["Threshold"], DollarsPerDay="2.5") == "2.5"
    assert "`AlarmBudget`" in (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def test_every_deployment_alarm_is_used():
    used = {
        name
        for item in FUNCTIONS
        for name in resolve(properties(item)["DeploymentPreference"]["Alarms"], Environment="prod")
    }
    assert used == set(DEPLOYMENT)
    assert not condition("Gradual")


def test_a_gateway_that_always_fails_for_the_new_version_takes_it_back():
    alarm = properties("GatewayErrors")
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/ApiGateway", "5XXError", "Average")
    (share,) = {
        int(found[1]) / 100
        for name in FUNCTIONS
        if (found := re.match(r"Canary(\d+)Percent", properties(name)["DeploymentPreference"]["Type"]))
    }
    assert alarm["Threshold"] < share
    # And sees it before all get the version
    assert alarm["Period"] * alarm["EvaluationPeriods"] <= 10 * 60 / 2


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_new_version_is_tried_before_its_first_call(name):
    hooks = properties(name)["DeploymentPreference"]["Hooks"]
    assert [resolve(hooks, Environment=item) for item in ("default", "prod")] == [
        {"PreTraffic": None},
        {"PreTraffic": HOOK},
    ]
    tried = references(properties(HOOK)["Environment"])
    assert name in tried
    # CodeDeploy's own policy allows no other names, and 64 characters are the most
    called = resolve(properties(HOOK)["FunctionName"])
    assert called.startswith("CodeDeployHook_")
    assert len(called) <= 64
    # It is there where it is asked for
    assert RESOURCES[HOOK]["Condition"] == "Gradual"
