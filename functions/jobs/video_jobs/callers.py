"""Who calls: the name by which a job remembers its owner. The gateway has checked it; no header says it.

=================================================  ==================================================================
a caller with                                      is
=================================================  ==================================================================
an API key                                         ``key:`` and the key's id, which is not the key
AWS credentials (SigV4)                            ``iam:`` and the ARN of the user or the role, without the name of
                                                   the session: a role's next session is the same owner
a token of a Cognito user pool                     ``cognito:`` and the user's ``sub``
none of these: on this machine, or without `Auth`  ``anonymous``
=================================================  ==================================================================
"""

import re
from collections.abc import Mapping
from typing import Any, Final

ANONYMOUS: Final = "anonymous"

_SESSION: Final = re.compile(r"(:assumed-role/.+)/[^/]+$")


def caller_of(event: Mapping[str, Any]) -> str:
    """Return who sent a request of a REST API (v1) or an HTTP API (v2).

    More than one kind of credentials can be in a request. A person's own come before those of a program.
    """
    context = event["requestContext"]
    authorizer, identity = context.get("authorizer") or {}, context.get("identity") or {}
    if subject := (authorizer.get("claims") or authorizer.get("jwt", {}).get("claims") or {}).get("sub"):
        return f"cognito:{subject}"
    if arn := identity.get("userArn") or authorizer.get("iam", {}).get("userArn"):
        return "iam:" + _SESSION.sub(r"\1", arn)
    if key_id := identity.get("apiKeyId"):
        return f"key:{key_id}"
    return ANONYMOUS
