"""The audit trail's pure part: what a CloudTrail record holds, and what it must never hold."""
