"""AWS Account Management: the account's contacts and what it is called."""
