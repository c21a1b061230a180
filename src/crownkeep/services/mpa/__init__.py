"""AWS Multi-party Approval: teams of people of whom so many must agree, and what they were asked."""
