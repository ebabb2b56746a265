# Everything that one does with this tree. `make run` and `make test` need Go and nothing else; tools that other targets
# need are installed, at the versions written here, into .cache/bin.

GOLANGCI_LINT_VERSION := v2.15.0
GOFUMPT_VERSION := v0.12.0

BIN := $(CURDIR)/.cache/bin
CODE := functions infra shared
# How long each fuzz target runs.
FUZZTIME ?= 10s

.DEFAULT_GOAL := help
.PHONY: help run test test-race template lint fuzz ci ci-full clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## run everything as one program on this machine
	go run ./infra/local

test: ## run the tests
	CGO_ENABLED=0 go test ./...

test-race: ## run the tests with the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -race ./...

template: ## hold template.yaml, the API's description and the events to the code
	CGO_ENABLED=0 go test ./infra/housekeeping/...

lint: $(BIN)/golangci-lint@$(GOLANGCI_LINT_VERSION) $(BIN)/gofumpt@$(GOFUMPT_VERSION) ## check format and style
	@unformatted=$$($(BIN)/gofumpt -d $(CODE)) && test -z "$$unformatted" || { echo "$$unformatted"; exit 1; }
	$(BIN)/golangci-lint run --allow-serial-runners ./...

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

clean: ## remove what the other targets made, but not your data in .bookplate
	rm -rf .cache cover.out
	go clean -testcache

# A tool is there once its version's file is.
$(BIN)/golangci-lint@%:
	GOBIN=$(BIN) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$*
	@touch $@

$(BIN)/gofumpt@%:
	GOBIN=$(BIN) go install mvdan.cc/gofumpt@$*
	@touch $@
