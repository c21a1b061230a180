"""Users, groups, roles and instance profiles: made, named, tagged and deleted."""
