"""The only place of boto3. One adapter a service, each behind a Protocol of `interfaces`."""
