"""Single sign-on: instances with their directory of people and groups, permission sets, and who may take which of them where."""
