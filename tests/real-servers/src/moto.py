"""moto's server, with the names that S3 gives to the outermost elements of two answers: SDKs insist on them."""

import sys

from moto.core.serialize import S3Serializer
from moto.server import main

NAMES = {
    "GetBucketVersioningResponse": "VersioningConfiguration",
    "ListObjectVersionsResponse": "ListVersionsResult",
}

serialize = S3Serializer._serialize_body


def with_names(self, body, *rest):
    if isinstance(body, dict):
        body = {NAMES.get(name, name): value for name, value in body.items()}
    return serialize(self, body, *rest)


S3Serializer._serialize_body = with_names
sys.exit(main(sys.argv[1:]))
