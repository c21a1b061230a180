"""The service's registration: its handlers say `@sso_oidc.operation(...)`."""

from crownkeep.operations import registry

sso_oidc = registry.Service("sso-oidc", action_prefix="sso-oauth", event_source="sso-oauth.amazonaws.com")
