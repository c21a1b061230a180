"""IAM's quotas and what exceeding one says (IAM user guide, "IAM and STS quotas")."""
