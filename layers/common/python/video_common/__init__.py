"""What every function of the application shares: the contract, its errors, its numbers, and the only way to AWS.

============== ==================================================================
``limits``     every promised number, once
``errors``     the one error tree: stable codes, HTTP statuses, problem+json
``schema``     what callers send and get: options and the Result
``aws``        the only place of boto3, one adapter a service, behind Protocols
============== ==================================================================
"""
