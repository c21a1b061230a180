"""The advisor: how far an account is from locked down, by the AWS API alone, so that Amazon's server and ours look the same."""
