"""SCIM 2.0 (RFC 7643 and 7644) as far as IAM Identity Center has it: another directory provisions people and groups."""
