"""The access portal: people of single sign-on sign in at their start URL, and take roles in accounts."""
