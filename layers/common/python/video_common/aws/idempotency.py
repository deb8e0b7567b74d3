"""Where Powertools remembers which events were handled: a DynamoDB table whose key is ``id``."""

from aws_lambda_powertools.utilities.idempotency import BasePersistenceLayer, DynamoDBPersistenceLayer

from video_common.aws.clients import client


def dynamodb_persistence(table: str) -> BasePersistenceLayer:
    """Return Powertools' store of handled events in a table."""
    return DynamoDBPersistenceLayer(table_name=table, boto3_client=client("dynamodb"))
