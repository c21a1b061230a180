"""`crownkeep` as people start it: a process of its own, its exit code, and what goes to which stream."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("crownkeep")


def run(data: Path, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CROWNKEEP_")}
    environment = kept | {"CROWNKEEP_DATA": str(data), "CROWNKEEP_ARGON2_MEMORY_KIB": "8"}
    return subprocess.run(
        [COMMAND, *words], input=stdin, capture_output=True, text=True, timeout=60, env=environment, cwd=data.parent, check=False
    )


def test_secrets_go_to_standard_output_and_the_warning_to_standard_error(data):
    flags = ["--email", "root@acme.example", "--name", "acme", "--root-access-key", "--root-password-stdin", "--json"]

    ended = run(data, "account", "create", *flags, stdin="correct Horse 7\n")

    answer = json.loads(ended.stdout)
    assert (0, 20) == (ended.returncode, len(answer["root"]["access_key_id"]))
    assert "warning: this root access key" in ended.stderr
    assert answer["root"]["secret_access_key"] not in ended.stderr


@pytest.mark.parametrize(
    ("words", "code"), [(["account", "list"], 0), (["account", "show", "111122223333"], 1), (["account"], 2)]
)
def test_the_exit_code_says_how_it_ended(data, words, code):
    ended = run(data, *words)

    assert code == ended.returncode
    assert "Traceback" not in ended.stderr


def test_a_reader_that_goes_away_is_no_fault(data):
    process = subprocess.Popen(
        f"{COMMAND} operations --json | head -c 1", shell=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=data.parent
    )

    out, err = process.communicate(timeout=60)

    assert (b"{", b"") == (out, err)


def test_help_does_not_load_the_house(data):
    watched = "import sys; from crownkeep.cli.main import main; main(['--help'], standalone_mode=False); "
    watched += "print([name for name in ('sqlalchemy', 'starlette', 'rich', 'msgspec', 'cryptography') if name in sys.modules])"

    ended = subprocess.run([sys.executable, "-c", watched], capture_output=True, text=True, timeout=60, check=True)

    assert "[]" == ended.stdout.splitlines()[-1]


def test_two_commands_at_the_same_first_moment_find_one_key_and_one_token(data):
    flags = ["account", "create", "--name", "acme", "--json", "--email"]
    environment = os.environ | {"CROWNKEEP_DATA": str(data)}
    started = [
        subprocess.Popen([COMMAND, *flags, f"{number}@acme.example"], env=environment, stdout=subprocess.PIPE, cwd=data.parent)
        for number in range(3)
    ]

    answer = [json.loads(process.communicate(timeout=60)[0]) for process in started]

    assert 3 == len({each["account_id"] for each in answer})
    assert 3 == len(json.loads(run(data, "account", "list", "--json").stdout)["accounts"])


@pytest.mark.parametrize(
    ("variables", "code"),
    [({"CROWNKEEP_DATABASE": "nonsense"}, 2), ({"CROWNKEEP_PORT": "port"}, 2), ({"CROWNKEEP_DATA": "/dev/null"}, 1)],
)
def test_a_server_that_can_not_start_says_why_in_one_sentence(data, variables, code):
    environment = os.environ | {"CROWNKEEP_DATA": str(data)} | variables

    ended = subprocess.run([COMMAND, "serve"], capture_output=True, text=True, timeout=60, env=environment, check=False)

    assert code == ended.returncode
    assert ("", 1) == (ended.stdout, ended.stderr.count("\n")), ended.stderr
    assert ended.stderr.startswith("Error: ")
