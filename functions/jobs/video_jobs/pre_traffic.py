"""The Lambda entry point that CodeDeploy calls before a new version gets its first call."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from video_common.aws import clients
from video_common.aws.deployments import CodeDeployments, LambdaFunctions
from video_common.telemetry import logger
from video_jobs.rehearsal import Rehearsal
from video_jobs.settings import PreTrafficSettings

settings = PreTrafficSettings.from_environment()
clients.use_timeouts(connect=2, read=90)  # a new version of the worker starts without a snapshot
rehearsal = Rehearsal(
    LambdaFunctions(), tuple(settings.analyze_versions.split(",")), settings.jobs_version, settings.give_up_version
)
deployments = CodeDeployments()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Tell CodeDeploy whether the new versions may have calls. An error of ours is a no, or it would wait an hour."""
    is_good = False
    try:
        is_good = rehearsal.is_good()
    finally:
        deployments.report(event["DeploymentId"], event["LifecycleEventHookExecutionId"], succeeded=is_good)
    return {"good": is_good}
