"""Single sign-on as its administrators see it: the instance, people, groups, permission sets and who may take what where."""
