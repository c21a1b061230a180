"""AWS Identity and Access Management: users, groups, policies and the credentials they sign with."""
