"""The condition keys that S3 has for every request."""

from __future__ import annotations

from datetime import timedelta

from crownkeep.operations.call import Call


def of_request(call: Call, **further: str | int | None) -> dict[str, str]:
    """Return S3's keys of a request; `further` are an operation's own, such as `prefix`, and left out where they are None."""
    origin = call.origin
    keys = {"s3:ResourceAccount": call.account_id}
    if origin.tls_version:
        keys["s3:TlsVersion"] = origin.tls_version.removeprefix("TLSv")
    signing = origin.signing
    if signing is not None:
        keys["s3:authType"] = "REST-QUERY-STRING" if signing.is_presigned else "REST-HEADER"
        keys["s3:signatureversion"] = signing.algorithm
        # In milliseconds, as S3 has it, while the global keys of time are in seconds.
        keys["s3:signatureAge"] = str(max(0, (call.now - signing.signed_at) // timedelta(milliseconds=1)))
        if signing.payload_hash:
            keys["s3:x-amz-content-sha256"] = signing.payload_hash
    own = {f"s3:{name.replace('_', '-')}": str(value) for name, value in further.items() if value is not None}
    return keys | own
