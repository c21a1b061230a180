"""AWS Organizations: accounts gathered under one management account, in a tree of units, with policies that bind them."""
