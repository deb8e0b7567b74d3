"""Commands for a deployed stack. They act on real AWS, with the credentials of the AWS CLI."""
