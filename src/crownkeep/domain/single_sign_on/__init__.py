"""Single sign-on as its services share it: whose an instance is, and the roles that permission sets become."""
