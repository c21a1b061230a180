"""Settings: where they are read from, and the address that people are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from crownkeep import settings

NOWHERE = Path("/nonexistent")


@pytest.mark.parametrize(
    ("flags", "url"),
    [
        ({}, "http://localhost:4747"),
        ({"host": "0.0.0.0", "port": 5000}, "http://localhost:5000"),
        ({"host": "::1"}, "http://localhost:4747"),
        ({"host": "192.0.2.7"}, "http://192.0.2.7:4747"),
        ({"host": "2001:db8::7"}, "http://[2001:db8::7]:4747"),
        ({"public_url": "https://sign-in.example/"}, "https://sign-in.example"),
    ],
)
def test_the_address_is_a_name_where_there_is_one_since_passkeys_need_it(flags: dict[str, object], url: str) -> None:
    assert url == settings.load(flags, environment={}, system=NOWHERE).url


@pytest.mark.parametrize(
    "url",
    [
        "accounts.acme.example",
        "ftp://acme.example",
        "https://",
        "https://acme.example/crown",
        "https://user@acme.example",
        "https://acme.example?x=1",
        "https://acme.example:port",
        "https://acme .example",
        "javascript:alert(1)",
    ],
)
def test_a_public_url_that_is_none_is_said_in_one_sentence(url: str):
    with pytest.raises(settings.InvalidSettings) as refused:
        settings.load({"public_url": url}, environment={}, system=NOWHERE)

    assert f"setting `public_url` is `{url}`; give " in str(refused.value)


@pytest.mark.parametrize(
    "url", ["https://acme.example", "http://localhost:4747/", "https://[2001:db8::1]:8443", "https://10.0.0.1"]
)
def test_a_public_url_names_a_host_and_perhaps_a_port(url: str):
    assert url.rstrip("/") == settings.load({"public_url": url}, environment={}, system=NOWHERE).url


@pytest.mark.parametrize(
    "url",
    [
        "collector:4318",
        "https://name:password@collector",
        "http://collector?key=1",
        "http://",
        "http://collector:port",
        "grpc://c",
    ],
)
def test_a_collector_s_address_that_is_none_is_said_in_one_sentence(url: str):
    with pytest.raises(settings.InvalidSettings) as refused:
        settings.load({"traces_endpoint": url}, environment={}, system=NOWHERE)

    assert "setting `traces_endpoint` is no address of a collector; give " in str(refused.value)
    assert "password" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "posted"),
    [
        ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
        ("https://[2001:db8::1]:4318/", "https://[2001:db8::1]:4318/v1/traces"),
        ("https://collector.example/otlp/v1/traces", "https://collector.example/otlp/v1/traces"),
    ],
)
def test_spans_are_posted_to_the_usual_path_unless_another_is_given(url: str, posted: str):
    assert posted == settings.load({"traces_endpoint": url}, environment={}, system=NOWHERE).traces_url


@pytest.mark.parametrize("ratio", ["-0.1", "1.1", "nan"])
def test_a_ratio_of_traces_is_from_none_to_all(ratio: str):
    with pytest.raises(settings.InvalidSettings, match="setting `traces_ratio` is"):
        settings.load(environment={"CROWNKEEP_TRACES_RATIO": ratio}, system=NOWHERE)


def test_worker_processes_read_the_same_settings_also_those_that_are_tables(tmp_path: Path):
    file = tmp_path / "own.toml"
    file.write_text(
        'trusted_proxies = ["10.0.0.0/8", "192.0.2.1"]\nlog_format = "json"\n\n[[services]]\nprincipal = "deploy.corp.example"\n'
    )
    named = {settings.CONFIG_VARIABLE: str(file)}
    chosen = settings.load({"port": 5001, "workers": 2, "traces_ratio": 0.1}, environment=named, system=NOWHERE)

    read = settings.load(environment=named | settings.as_variables(chosen), system=NOWHERE)

    assert ("deploy.corp.example",) == tuple(each.principal for each in chosen.services)
    assert chosen == read


def test_a_misspelt_variable_is_named():
    given = {"CROWNKEEP_PORT": "1", "CROWNKEEP_CONFIG": "/f", "CROWNKEEP_PROT": "2", "PATH": "/bin", "CROWNKEEP_": ""}

    assert ["CROWNKEEP_", "CROWNKEEP_PROT"] == settings.unknown_variables(given)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Directories with a file each, which sets the port to another number."""
    made = {name: tmp_path / name for name in ("system", "data", "here")}
    for port, directory in enumerate(made.values(), start=5001):
        directory.mkdir(mode=0o700)
        (directory / "crownkeep.toml").write_text(f"port = {port}\n")
    monkeypatch.chdir(made["here"])
    return made


def test_a_file_in_the_current_directory_is_named_in_a_warning_and_not_read(
    places: dict[str, Path], caplog: pytest.LogCaptureFixture
):
    (places["here"] / "crownkeep.toml").write_text("database = 'postgresql://evil.example/x'\ntrusted_proxies = ['0.0.0.0/0']\n")

    found = settings.load({"data": str(places["data"])}, environment={}, system=NOWHERE)

    assert ("", ()) == (found.database, found.trusted_proxies)
    assert f"`{places['here'] / 'crownkeep.toml'}` is not read" in caplog.text


def test_the_data_directory_s_file_goes_before_the_system_s_and_a_variable_before_both(places: dict[str, Path]):
    (places["system"] / "crownkeep.toml").write_text(f"port = 5001\nworkers = 3\ndata = '{places['data']}'\n")

    def load(**environment: str) -> settings.Settings:
        return settings.load({}, environment=environment, system=places["system"])

    assert (5002, 3) == (load().port, load().workers)
    assert 6000 == load(CROWNKEEP_PORT="6000").port


@pytest.mark.parametrize("by", ["flag", "variable"])
def test_the_data_directory_is_the_one_that_a_flag_or_a_variable_names(places: dict[str, Path], by: str):
    named = str(places["data"])
    flags, environment = ({"data": named}, {}) if by == "flag" else ({}, {"CROWNKEEP_DATA": named})

    assert 5002 == settings.load(flags, environment=environment, system=NOWHERE).port


def test_no_warning_where_the_current_directory_is_the_data_directory(places: dict[str, Path], caplog: pytest.LogCaptureFixture):
    assert 5003 == settings.load({"data": str(places["here"])}, environment={}, system=NOWHERE).port
    assert "" == caplog.text


def test_a_file_that_config_names_is_read_alone(places: dict[str, Path], tmp_path: Path):
    other = tmp_path / "other.toml"
    other.write_text("workers = 2\n")

    found = settings.load({"data": str(places["data"])}, environment={"CROWNKEEP_CONFIG": str(other)}, system=places["system"])

    assert (4747, 2) == (found.port, found.workers)


def test_a_file_that_config_names_must_be_there(tmp_path: Path):
    with pytest.raises(settings.InvalidSettings, match="can't be read: No such file"):
        settings.load({}, environment={"CROWNKEEP_CONFIG": str(tmp_path / "none.toml")}, system=NOWHERE)


def test_the_data_directory_s_file_can_not_name_another_data_directory(places: dict[str, Path]):
    (places["data"] / "crownkeep.toml").write_text("data = '/elsewhere'\n")

    with pytest.raises(settings.InvalidSettings, match="is found by it"):
        settings.load({"data": str(places["data"])}, environment={}, system=NOWHERE)


def test_services_are_registered_in_the_file_and_by_no_variable(tmp_path: Path) -> None:
    lines = ["[[services]]", 'principal = "deploy.corp.example"', 'prefix = "deploy"', 'condition_keys = ["deploy:Stage"]']
    file = tmp_path / "crownkeep.toml"
    file.write_text("\n".join(lines))
    variable = {"CROWNKEEP_SERVICES": "mischief.example"}

    (service,) = settings.load({}, environment={"CROWNKEEP_CONFIG": str(file), **variable}).services

    assert ("deploy.corp.example", "deploy", ("deploy:Stage",)) == (service.principal, service.prefix, service.condition_keys)
    assert ["CROWNKEEP_SERVICES"] == settings.unknown_variables(variable)
