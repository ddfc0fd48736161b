"""Makes a bucket whose objects stay locked for a day, and says who may do what with it.

bucket.py ENDPOINT BUCKET, with the owner's keys in the environment and a policy, if there is one, on
standard input.
"""

import sys

import boto3
from botocore.config import Config

endpoint, bucket = sys.argv[1:]
policy = sys.stdin.read()
plain = Config(
    s3={"addressing_style": "path"},
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=plain)
s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
s3.put_object_lock_configuration(
    Bucket=bucket,
    ObjectLockConfiguration={
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}},
    },
)
if policy:
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
