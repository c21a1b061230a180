"""Account access for programs: existing roles that a person is entitled to, and credentials of them, by an access token."""
