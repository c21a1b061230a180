"""The published models: everything botocore's own reader sees, seen the same."""

import subprocess
import sys

import botocore
import botocore.session
import msgspec
import pytest

from crownkeep import models


@pytest.fixture(scope="module")
def published():
    session = botocore.session.get_session()
    return {name: session.get_service_model(name) for name in models.SERVICES}


def test_reading_the_models_imports_no_botocore_and_importing_reads_nothing():
    program = (
        "import sys; from crownkeep import models; from crownkeep.models import published;"
        "assert published.service.cache_info().currsize == 0; models.service('iam').operation('CreateUser');"
        "assert 'botocore' not in sys.modules"
    )

    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert (finished.returncode, finished.stderr) == (0, "")


@pytest.mark.parametrize("name", models.SERVICES)
def test_a_service_is_what_botocore_says_it_is(name, published):
    theirs = published[name]

    ours = models.service(name)

    assert theirs.api_version == ours.api_version
    assert theirs.protocol == ours.protocol
    assert (theirs.signing_name,) == ours.signing_names
    assert theirs.endpoint_prefix == ours.endpoint_prefix
    assert theirs.metadata.get("targetPrefix") == ours.target_prefix
    assert theirs.metadata.get("jsonVersion") == ours.json_version
    assert theirs.metadata.get("xmlNamespace") == ours.xml_namespace
    assert list(theirs.operation_names) == list(ours.operations)


@pytest.mark.parametrize("name", models.SERVICES)
def test_every_operation_is_what_botocore_says_it_is(name, published):
    for theirs in (published[name].operation_model(each) for each in published[name].operation_names):
        ours = models.service(name).operation(theirs.name)

        assert theirs.http["method"] == ours.method
        assert theirs.http["requestUri"] == ours.request_uri
        signed = theirs.auth_type or ("none" if theirs.service_model.signature_version == "bearer" else "v4")
        assert signed == ours.auth
        assert {error.name for error in theirs.error_shapes} == {
            models.service(name).errors[code].shape_name for code in ours.error_codes
        }
        check_shapes(theirs.input_shape, ours.input, seen=set())
        check_shapes(theirs.output_shape, ours.output, seen=set())
        if theirs.output_shape is not None:
            assert theirs.output_shape.serialization.get("resultWrapper") == ours.result_wrapper


@pytest.mark.parametrize("name", models.SERVICES)
def test_every_error_has_the_code_and_status_botocore_knows(name, published):
    for theirs in published[name].error_shapes:
        ours = models.service(name).errors[theirs.error_code]

        assert theirs.name == ours.shape_name
        assert theirs.metadata.get("error", {}).get("httpStatusCode", ours.status) == ours.status
        assert (ours.status >= 500) == bool(theirs.metadata.get("fault") or ours.status >= 500)
        assert list(theirs.members) == list(ours.shape.members)


@pytest.mark.parametrize("name", models.SERVICES)
def test_python_names_are_the_ones_boto3_uses(name):
    model = models.service(name)
    names = {*model.operations, *(member for shape in model.shapes.values() for member in shape.members)}
    # botocore lists the operations with OAuth2 in their name one by one, and has not yet listed this one.
    names.discard("CreateOAuth2TokenWithTokenExchange")

    assert {each: botocore.xform_name(each) for each in names} == {each: models.snake_case(each) for each in names}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("QRCodePNG", "qr_code_png"),
        ("MFADevices", "mfa_devices"),
        ("SSHPublicKeyId", "ssh_public_key_id"),
        ("SAMLProviderArn", "saml_provider_arn"),
        ("OpenIDConnectProviderArn", "open_id_connect_provider_arn"),
        ("AccountIDs", "account_ids"),
        ("CreateOAuth2Token", "create_oauth2_token"),
        ("From", "from_"),
        ("already_snake", "already_snake"),
    ],
)
def test_a_name_in_snake_case(name, expected):
    assert expected == models.snake_case(name)


def test_no_two_members_of_an_input_share_a_python_name():
    for service in map(models.service, models.SERVICES):
        for operation in service.operations.values():
            names = list(operation.arguments.values())

            assert len(set(names)) == len(names), operation.name


def test_a_shape_may_hold_itself():
    text = msgspec.json.encode(
        {
            "metadata": {"protocol": "json"},
            "operations": {"Nest": {"http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "Node"}}},
            "shapes": {"Node": {"type": "structure", "members": {"Child": {"shape": "Node"}}}},
        }
    )

    node = models.compile_service("nest", text).operation("Nest").input

    assert node is node.members["Child"].shape.members["Child"].shape


def test_an_unknown_service_is_named_in_the_refusal():
    with pytest.raises(LookupError, match="`ec3` is not a service"):
        models.service("ec3")


def test_a_member_is_written_in_lower_camel_as_cloudtrail_does():
    assert [models.lower_camel(name) for name in ("UserName", "SSHPublicKeyId")] == ["userName", "sSHPublicKeyId"]


def check_shapes(theirs, ours, *, seen):
    """Compare two shapes and all that they refer to."""
    if theirs is None or ours is None:
        assert theirs is ours
        return
    if theirs.name in seen:
        return
    seen.add(theirs.name)
    assert theirs.name == ours.name
    assert theirs.type_name == ours.type
    assert theirs.metadata.get("min") == ours.minimum
    assert theirs.metadata.get("max") == ours.maximum
    assert theirs.metadata.get("pattern") == ours.pattern
    assert tuple(theirs.metadata.get("enum", ())) == ours.enum
    assert bool(theirs.metadata.get("sensitive")) == ours.sensitive
    assert tuple(theirs.metadata.get("required", ())) == ours.required
    places = {
        "structure": lambda: zip(theirs.members.values(), ours.members.values(), strict=True),
        "list": lambda: [(theirs.member, ours.element)],
        "map": lambda: zip((theirs.key, theirs.value), ours.entry, strict=True),
    }.get(theirs.type_name, list)()
    for their_place, our_place in places:
        traits = their_place.serialization
        assert traits.get("name") == our_place.location_name
        assert traits.get("location") == our_place.location
        assert traits.get("timestampFormat") == (our_place.timestamp_format or our_place.shape.timestamp_format)
        assert bool(traits.get("flattened")) == (our_place.flattened or our_place.shape.flattened)
        check_shapes(their_place, our_place.shape, seen=seen)
