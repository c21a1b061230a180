"""AWS CloudTrail: looking up what happened in the account."""
