"""Account access: people and groups of single sign-on are entitled to existing roles, in any account of the organization."""
