"""Identity Store: the directory of an instance of single sign-on, its people, groups and who is in which."""
