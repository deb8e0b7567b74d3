"""What every function of the application shares: the contract, its errors, its numbers, and the only way to AWS.

=============== ==================================================================
``routes``      the table of routes: methods, paths, which function answers
``limits``      every promised number, once
``errors``      the one error tree: stable codes, HTTP statuses, problem+json
``schema``      what callers send: the options
``options``     options as callers write them -> ``schema.Options``
``result``      what callers get: the Result
``job``         the record of an uploaded video's job, and the names of its objects
``upload``      uploaded objects, as S3's events name them
``completion``  the event that is published when a job ends
``api_gateway`` what the routers share: both event versions, answers, problems
``aws``         the only place of boto3, one adapter for each service, behind Protocols
=============== ==================================================================
"""
