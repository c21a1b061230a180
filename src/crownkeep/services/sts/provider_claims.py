"""What else identity providers say of somebody, as condition keys of trust policies: claims of tokens, attributes of assertions.

AWS makes keys of the claims of providers that it knows, such as GitHub (service authorization reference, "AWS Security Token
Service", AssumeRoleWithWebIdentity), and of common SAML attributes (IAM user guide, "Mapping SAML attributes to AWS trust policy
context keys"). Sessions don't carry them: only the trust policy may ask.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from crownkeep.catalogue import actions
from crownkeep.credentials.web_identities import WebIdentity
from crownkeep.policy import ContextValue

_WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"
_VARIABLE = re.compile(r"\$\{[^}]*\}")
_NO_PROVIDERS = ("aws", "sts")
_OWN_KEYS = ("aud", "sub", "amr")
"""Of every provider, filled in elsewhere; `oaud` is the audience that the token names itself."""

_EDU_PERSON = "urn:oid:1.3.6.1.4.1.5923.1.1.1."
_EDU_ORG = "urn:oid:1.3.6.1.4.1.5923.1.2.1."
_AD_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
_LISTS = {
    f"{_EDU_PERSON}1": "saml:edupersonaffiliation",
    f"{_EDU_PERSON}2": "saml:edupersonnickname",
    f"{_EDU_PERSON}4": "saml:edupersonorgunitdn",
    f"{_EDU_PERSON}7": "saml:edupersonentitlement",
    f"{_EDU_PERSON}9": "saml:edupersonscopedaffiliation",
    f"{_EDU_PERSON}10": "saml:edupersontargetedid",
    f"{_EDU_PERSON}11": "saml:edupersonassurance",
    f"{_EDU_ORG}2": "saml:eduorghomepageuri",
    f"{_EDU_ORG}3": "saml:eduorgidentityauthnpolicyuri",
    f"{_EDU_ORG}4": "saml:eduorglegalname",
    f"{_EDU_ORG}5": "saml:eduorgsuperioruri",
    f"{_EDU_ORG}6": "saml:eduorgwhitepagesuri",
    "urn:oid:2.5.4.3": "saml:cn",
}
_TEXTS = {
    f"{_EDU_PERSON}3": "saml:edupersonorgdn",
    f"{_EDU_PERSON}5": "saml:edupersonprimaryaffiliation",
    f"{_EDU_PERSON}6": "saml:edupersonprincipalname",
    f"{_EDU_PERSON}8": "saml:edupersonprimaryorgunitdn",
    f"{_AD_CLAIMS}name": "saml:name",
    f"{_AD_CLAIMS}givenname": "saml:givenName",
    f"{_AD_CLAIMS}surname": "saml:surname",
    f"{_AD_CLAIMS}emailaddress": "saml:mail",
    "http://schemas.xmlsoap.org/claims/CommonName": "saml:commonName",
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid": "saml:primaryGroupSID",
    "2.5.4.3": "saml:commonName",
    "2.5.4.4": "saml:surname",
    "2.5.4.42": "saml:givenName",
    "2.5.4.45": "saml:x500UniqueIdentifier",
    "0.9.2342.19200300.100.1.1": "saml:uid",
    "0.9.2342.19200300.100.1.3": "saml:mail",
    "0.9.2342.19200300.100.1.45": "saml:organizationStatus",
}
"""Also by `urn:oid:` and the number, as assertions write X.500 attributes."""


def of_token(provider_url: str, identity: WebIdentity) -> dict[str, ContextValue]:
    """Return the keys of a provider that AWS knows; none for another one's claims."""
    found: dict[str, ContextValue] = {}
    for host, claim in _known_claims():
        value = identity.claim("aud" if claim == "oaud" else claim)
        if value is not None and host.fullmatch(provider_url):
            found[f"{provider_url}:{claim}"] = value[0] if claim == "oaud" and isinstance(value, tuple) else value
    return found


def of_attributes(attributes: Mapping[str, tuple[str, ...]]) -> dict[str, ContextValue]:
    """Return the keys of an assertion's attributes; the first that maps to a key counts."""
    found: dict[str, ContextValue] = {}
    for name, values in attributes.items():
        key = _TEXTS.get(name) or _TEXTS.get(name.removeprefix("urn:oid:")) if name not in _LISTS else None
        if name in _LISTS and values:
            found.setdefault(_LISTS[name], values)
        elif key is not None and values:
            found.setdefault(key, values[0])
    return found


@cache
def _known_claims() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return each claim that is a key of some provider, and how the provider's URL is written."""
    action = actions.action(_WEB_IDENTITY)
    keys = [key.partition(":") for key in (action.condition_keys if action is not None else ())]
    return tuple((_as_pattern(host), claim) for host, _, claim in keys if host not in _NO_PROVIDERS and claim not in _OWN_KEYS)


def _as_pattern(host: str) -> re.Pattern[str]:
    return re.compile("[^:]+".join(re.escape(part) for part in _VARIABLE.split(host)), re.IGNORECASE)
