"""IAM Identity Center (`sso-admin`): instances, permission sets, and who may take which of them in which account."""
