"""What a signed-in person does to the security of an account for which AWS has no operation; a service of our own."""
