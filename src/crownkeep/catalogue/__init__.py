"""What AWS publishes about permissions: its managed policies, and the actions, resources and condition keys of its services."""
