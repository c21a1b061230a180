"""IAM Access Analyzer: what is wrong in a policy, what it grants, and what a new one grants beyond an old one."""
