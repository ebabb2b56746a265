# Everything that one does with this tree. `make run` and `make test` need Go and nothing else; tools that other targets
# need are installed, at the versions written here, into .cache/bin.

GOLANGCI_LINT_VERSION := v2.15.0
GOFUMPT_VERSION := v0.12.0

# The emulators' own versions are in infra/emulators.
MAVEN_DEPENDENCY_VERSION := 3.8.1

BIN := $(CURDIR)/.cache/bin
EMULATORS := $(CURDIR)/.cache/emulators
SAM_VERSION := 1.170.0
CFN_LINT_VERSION := 1.58.0
SAM := $(CURDIR)/.cache/sam
SIZES := $(CURDIR)/.cache/sizes
E2E := $(CURDIR)/.cache/e2e
# The SAM CLI tells Amazon who runs what, unless it is told not to.
export SAM_CLI_TELEMETRY := 0
CODE := functions infra shared
# Packages in which all happens in one goroutine: the race detector finds next to nothing there, and makes it ten times as
# slow. A test holds them to that. `make test-race ONE_GOROUTINE=none` leaves nothing out; .ci/full does so.
ONE_GOROUTINE ?= infra/housekeeping|infra/simulate/judge|infra/simulate/play|infra/stage
# How long each fuzz target runs.
FUZZTIME ?= 10s
# The packages that have tests with the build tag aws.
AWS_TESTS := ./shared/table/dynamo ./shared/vault/secretsmanager ./shared/queue/sqs ./infra/emulators/...

.DEFAULT_GOAL := help
.PHONY: help run test test-race test-aws emulators template-lint template simulate simulate-today mutants bench size e2e-lambda sam-local lint fuzz ci ci-full clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## run everything as one program on this machine
	go run ./infra/local

test: ## run the tests
	CGO_ENABLED=0 go test ./...

test-race: ## run the tests with the race detector where things happen at once (needs a C compiler)
	CGO_ENABLED=1 go test -race $$(go list ./... | grep -vE '/($(ONE_GOROUTINE))$$')

test-aws: emulators ## run the AWS engines' contracts on emulators (needs Java 17, Maven, Python, npm)
	CGO_ENABLED=0 go test -tags aws $(AWS_TESTS)

emulators: $(addprefix $(EMULATORS)/,dynamodb-local/.installed dynoxide/.installed moto/.installed) ## install the emulators

# cfn-lint comes with the emulators, in the same version as with the SAM CLI, whose installing costs more than all linting.
template-lint: $(EMULATORS)/moto/.installed ## hold template.yaml to CloudFormation (needs Python)
	$(EMULATORS)/moto/bin/cfn-lint template.yaml

template: template-lint $(SAM)@$(SAM_VERSION) ## the same, hold it to SAM and to the code, and build it
	$(SAM)/bin/sam validate --lint
	CGO_ENABLED=0 go test ./infra/housekeeping/...
	$(SAM)/bin/sam build

size: ## measure the functions' archives and starts
	@for f in $(FUNCTIONS); do \
		$(MAKE) --no-print-directory -s build-$$f ARTIFACTS_DIR=$(SIZES)/deployed/$$f && \
		$(MAKE) --no-print-directory -s build-$$f ARTIFACTS_DIR=$(SIZES)/here/$$f GOARCH_LAMBDA=$$(go env GOARCH) || exit 1; \
	done
	@CGO_ENABLED=0 go build -trimpath -tags lambda.norpc -ldflags='-s -w' -o $(SIZES)/here/empty/bootstrap ./infra/size/empty
	@go run ./infra/size $(SIZES)

sam-local: emulators $(SAM)@$(SAM_VERSION) ## the SAM CLI's gateway on emulators (needs Docker besides, and runs arm64 containers)
	@docker info >/dev/null 2>&1 || { echo "sam local needs Docker, and it doesn't answer; without it: make e2e-lambda"; exit 1; }
	$(SAM)/bin/sam build
	CGO_ENABLED=0 go test -tags 'aws samlocal' -count=1 -timeout=0 -v -run TestServe ./infra/e2e

e2e-lambda: emulators $(SAM)@$(SAM_VERSION) ## the main job through the built functions, without Docker (needs Java 17, Maven, Python, npm; Linux)
	@mkdir -p $(E2E) && cp $(SAM)/lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-* $(E2E) && chmod +x $(E2E)/aws-lambda-rie-*
	@for f in $(FUNCTIONS); do \
		$(MAKE) --no-print-directory -s build-$$f ARTIFACTS_DIR=$(E2E)/$$f GOARCH_LAMBDA=$$(go env GOARCH) || exit 1; \
	done
	CGO_ENABLED=0 go test -tags 'aws e2e' -count=1 -timeout=30m -v ./infra/e2e

# sam build calls these, with the folder to build into. Static and stripped; arm64, as template.yaml says.
FUNCTIONS := Front Tokens Assignments Books Directory Schedule Work
GOARCH_LAMBDA ?= arm64
.PHONY: $(addprefix build-,$(FUNCTIONS))
$(addprefix build-,$(FUNCTIONS)): build-%:
	CGO_ENABLED=0 GOOS=linux GOARCH=$(GOARCH_LAMBDA) go build -trimpath -buildvcs=false -tags lambda.norpc -ldflags='-s -w' \
		-o '$(ARTIFACTS_DIR)/bootstrap' ./functions/$(shell echo $* | tr A-Z a-z)/bootstrap

# How many seeds make simulate acts, from 1 on.
SEEDS ?= 1000

simulate: ## act SEEDS (1000) seeds of the simulation, and all that ever failed
	CGO_ENABLED=0 go run ./infra/simulate -seeds 1-$(SEEDS) -stories infra/simulate/stories/seeds.txt

# Other seeds every day: 20 million and some, by the date.
simulate-today: ## act 100 seeds that are others every day
	CGO_ENABLED=0 go run ./infra/simulate -rare -seeds "$$(date -u +%Y%m%d)000-$$(date -u +%Y%m%d)099"

mutants: ## break the product on purpose, and see that the simulation notices
	CGO_ENABLED=0 go run ./infra/mutants

# What the benchmark is run with: -titles, -readers, -virtual, -poll-after; 0 readers is no such run.
BENCH ?=

bench: ## count what giving 25 titles to 10,000 readers costs, and to 100,000 in virtual time
	CGO_ENABLED=0 go run ./infra/bench $(BENCH)

lint: $(BIN)/golangci-lint@$(GOLANGCI_LINT_VERSION) $(BIN)/gofumpt@$(GOFUMPT_VERSION) ## check format and style
	@unformatted=$$($(BIN)/gofumpt -d $(CODE)) && test -z "$$unformatted" || { echo "$$unformatted"; exit 1; }
	CGO_ENABLED=0 $(BIN)/golangci-lint run --allow-serial-runners --build-tags aws,e2e ./...

fuzz: ## run every fuzz target for FUZZTIME (10s)
	@set -e; for package in $$(grep -rl --include='*_test.go' '^func Fuzz' $(CODE) | xargs -n 1 dirname | sort -u); do \
		for target in $$(go test -list '^Fuzz' "./$$package" | grep '^Fuzz'); do \
			echo "$$package $$target"; \
			CGO_ENABLED=0 go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) "./$$package"; \
		done; \
	done

ci: ## what every change must pass
	.ci/run

ci-full: ## ci, and what takes longer: fuzzing, long kill tests
	.ci/full

clean: ## remove what the other targets made, but no data
	rm -rf .cache cover.out
	go clean -testcache

# A tool is there once its version's file is.
$(BIN)/golangci-lint@%:
	CGO_ENABLED=0 GOBIN=$(BIN) go install -ldflags='-s -w' github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$*
	@touch $@

$(BIN)/gofumpt@%:
	CGO_ENABLED=0 GOBIN=$(BIN) go install -ldflags='-s -w' mvdan.cc/gofumpt@$*
	@touch $@

$(SAM)@%:
	@echo "installing the SAM CLI $*, with cfn-lint and Lambda's Runtime Interface Emulator, into .cache/sam, with Python"
	python3 -m venv $(SAM)
	$(SAM)/bin/pip install --quiet --disable-pip-version-check aws-sam-cli==$* cfn-lint==$(CFN_LINT_VERSION)
	@touch $@

$(EMULATORS)/dynamodb-local/.installed: infra/emulators/pom.xml
	@echo "installing DynamoDB Local into .cache/emulators, with Maven"
	@mkdir -p $(@D)
	mvn -q -B -f $< org.apache.maven.plugins:maven-dependency-plugin:$(MAVEN_DEPENDENCY_VERSION):copy-dependencies \
		-DoutputDirectory=$(@D)
	@touch $@

$(EMULATORS)/dynoxide/.installed: infra/emulators/package.json
	@echo "installing Dynoxide into .cache/emulators, with npm"
	@mkdir -p $(@D) && cp $< $(@D)
	npm install --silent --no-fund --no-audit --no-package-lock --prefix $(@D)
	@touch $@

$(EMULATORS)/moto/.installed: infra/emulators/requirements.txt
	@echo "installing moto into .cache/emulators, with Python"
	python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@
