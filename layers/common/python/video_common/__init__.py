"""What every function of the application shares: the contract, its errors, its numbers, and the only way to AWS.

=============== ==================================================================
``limits``      every promised number, once
``errors``      the one error tree: stable codes, HTTP statuses, problem+json
``schema``      what callers send: the options           ``options`` reads them
``result``      what callers get: the Result
``routes``      the table of routes                      ``api_gateway`` answers them
``job``         an uploaded video's job
``aws``         the only place of boto3, one adapter a service, behind Protocols
=============== ==================================================================
"""
