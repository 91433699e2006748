# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

.DEFAULT_GOAL := help
# An installation that failed half-way must not look like a finished one.
.DELETE_ON_ERROR:

# npm's own record of what it installed: older than these files, it no longer fits them.
INSTALLED := node_modules/.package-lock.json
# npm runs its scripts with the Node.js that the project installs for itself, whichever Node.js npm itself has.
RUN := npm run --silent
# onnxruntime else reports its use to its maker.
export ORT_DISABLE_TELEMETRY := 1
# npm's cache is in the home directory, which accounts of services cannot write or do not have; nor can others once root has.
ifeq ($(npm_config_cache)$(NPM_CONFIG_CACHE)$(shell test -w "$$HOME/.npm" || { test ! -e "$$HOME/.npm" && test -w "$$HOME"; } && echo writable),)
export npm_config_cache := $(CURDIR)/.cache/npm
endif

.PHONY: help
help: ## list these commands
	@awk -F ':.*## ' '/^[a-z.-]+:.*## / { printf "make %-21s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: start
start: download-models web ## set up whatever is missing, then serve on http://127.0.0.1:8080
ifeq ($(MENTOR_SOURCE)$(GRAPHQL_ENDPOINT),graphql)
	@$(RUN) graphql-stand-in -- --with-service
else
	@$(RUN) start
endif

.PHONY: test
test: download-models web ## set up whatever is missing, then run every test
	@$(RUN) test

.PHONY: download-models
download-models: $(INSTALLED) ## fetch, check and compile the model, unless that is done
	@$(RUN) download-models
	@$(RUN) compile-model

.PHONY: web
web: $(INSTALLED) ## build the playground into web/dist, where the service finds it
	@$(RUN) build-web

.PHONY: bench
bench: download-models ## measure speed and quality, rewrite docs/benchmarks.md
	@$(RUN) bench

# Each image has its target in the Dockerfile. Where there is no docker, ENGINE=podman or ENGINE='buildah' does the same.
ENGINE ?= docker
TARGET ?= service
.PHONY: docker-build
docker-build: download-models ## build the image sbert-service, upon BASE_IMAGE=…@sha256:… if given
	$(ENGINE) build --target $(TARGET) --tag sbert-service$(if $(filter-out service,$(TARGET)),-$(TARGET)) \
	  $(if $(BASE_IMAGE),--build-arg BASE_IMAGE='$(BASE_IMAGE)' --build-arg REQUIRE_DIGEST=yes) .

.PHONY: scaling
scaling: download-models ## measure the service, model a stage under a spike and its cost, rewrite docs/scaling.md
	@$(RUN) scaling

.PHONY: deploy.zip
deploy.zip: $(INSTALLED) ## the Elastic Beanstalk bundle, built by the instances; with IMAGE=registry/name@sha256:… that image's
	@$(foreach name,IMAGE BASE_IMAGE,$(if $(filter undefined,$(origin $(name))),,$(name)='$($(name))')) $(RUN) deploy-bundle

.PHONY: fault-test
fault-test: download-models ## let everything go wrong that can, rewrite docs/reliability.md
	@$(RUN) fault-test -- --write

.PHONY: test-schema
test-schema: download-models ## generate requests from the API's document with Schemathesis, hold every reply to it
	@$(RUN) test-schema

.PHONY: check-kernels
check-kernels: download-models ## compare the kernels of all CPUs with their definition, by emulation where need be
	@$(RUN) check-kernels

.PHONY: check-newcomer
check-newcomer: download-models ## what a newcomer does, on an emulated CPU without AVX-512
	@tools/check-newcomer.sh

.PHONY: check-package
check-package: $(INSTALLED) ## run the package that others import under the oldest and newest Node.js 22 and 24
	@tools/package/check-nodes.sh

.PHONY: audit
audit: $(INSTALLED) ## look for known vulnerabilities of the packages; says so where that cannot be done, and fails with REQUIRE_AUDIT=yes
	@$(RUN) audit-packages

.PHONY: sbom
sbom: $(INSTALLED) ## write sbom.cdx.json, the bill of materials in CycloneDX
	@$(RUN) sbom

.PHONY: test-terraform
test-terraform: $(INSTALLED) ## check terraform/ and .github/ without an account: mocks, policies, an emulator
	@$(RUN) test-terraform

.PHONY: test-terraform-faults
test-terraform-faults: download-models ## put every known mistake back into a copy, one by one, and see that test-terraform finds it
	@$(RUN) test-terraform -- faults

.PHONY: test-clients
test-clients: download-models ## run the programs of docs/clients.md against the service, with packages from PyPI and npm
	@$(RUN) test-clients

.PHONY: test-deployed
test-deployed: $(INSTALLED) ## ask a deployed stage all that matters: BASE_URL=https://… API_KEY=…
	@$(RUN) test-deployed

.PHONY: logs
logs: ## follow the logs of a stage on AWS: STAGE=dev, TIER="web worker function canary deploy"
	@tools/follow-logs.sh '$(STAGE)' $(TIER)

.PHONY: format
format: $(INSTALLED) ## format the source files
	@$(RUN) format

.PHONY: lint
lint: $(INSTALLED) ## check types, lint, format, unused code and wording, and the Dockerfile
	@$(RUN) lint
	@tools/container/lint.sh

.PHONY: license
license: $(INSTALLED) ## add the licence header to the source files that lack it
	@$(RUN) license -- --add

.PHONY: test-license
test-license: $(INSTALLED) ## check that every source file has the licence header
	@$(RUN) license

.PHONY: setup
setup: $(INSTALLED) ## for developers: install, and check each commit before it is made
	git config core.hooksPath .githooks

# dev dependencies are asked for by name because NODE_ENV=production, set in some shells, would leave them out.
$(INSTALLED): package-lock.json .npmrc tools/node/package.json web/package.json
	@echo 'Installing the dependencies'
	@npm ci --include=dev --ignore-scripts --loglevel=error --no-update-notifier $$(test -t 2 || echo --no-progress)
	@! test -e node_modules/.bin/node || node_modules/.bin/node --version >/dev/null || { \
	  echo 'The Node.js of the project does not start here. On Debian and Ubuntu it needs: apt-get install libatomic1' >&2; \
	  exit 1; }
	@touch $@
