# What to make here: `make help`. The targets do their own set-up (scripts/setup.sh).

.DEFAULT_GOAL := build
.PHONY: help setup build web test-web man install release demo test check vet format bench fuzz test-soak test-agents clean

# One plain mode (no cgo, trimmed paths) for build, vet and tools, one race mode for
# tests: every further mode compiles SQLite once more, minutes on a small machine.
PLAIN   := CGO_ENABLED=0
RACE    := CGO_ENABLED=1
GO      := go
BIN     := bin/groove
VERSION := $(or $(shell git describe --tags --match 'v*' --dirty 2>/dev/null | sed 's/^v//'),0.1.0-dev)
LDFLAGS := -s -w -X groove/internal/groove.Version=$(VERSION)
SETUP   := scripts/setup.sh

# Tests that drive the whole program take this binary.
export GROOVE_BIN := $(CURDIR)/$(BIN)

# Folders of npm hold Go files of others.
GOFILES = $(shell find . -name '*.go' -not -path '*/node_modules/*' -not -path './.git/*')

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r n t; do printf '  make %-12s %s\n' "$$n" "$$t"; done

setup: ## install what this machine lacks for all targets
	@$(SETUP) go cc git npm

build: web ## bin/groove, with the GUI where npm is
	@$(SETUP) go
	$(PLAIN) $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/groove

web: ## the GUI's files, in internal/gui/dist; without npm a page says how to get them
	@scripts/web.sh

test-web: web ## the GUI's own tests: types, and its parts in Vitest
	@scripts/web.sh check

man: build ## dist/man/groove.1, the manual page
	@mkdir -p dist/man
	$(BIN) man > dist/man/groove.1

# Where `make install` puts things; DESTDIR goes before it.
PREFIX ?= /usr/local

install: man ## groove, its manual and completions below PREFIX (/usr/local)
	@put() { mkdir -p "$$(dirname "$$3")" && install -m "$$1" "$$2" "$$3"; }; to="$(DESTDIR)$(PREFIX)" && \
	put 0755 $(BIN) "$$to/bin/groove" && \
	put 0644 dist/man/groove.1 "$$to/share/man/man1/groove.1" && \
	put 0644 cmd/groove/completion/groove.bash "$$to/share/bash-completion/completions/groove" && \
	put 0644 cmd/groove/completion/_groove "$$to/share/zsh/site-functions/_groove" && \
	put 0644 cmd/groove/completion/groove.fish "$$to/share/fish/vendor_completions.d/groove.fish"
	@echo "installed: $(DESTDIR)$(PREFIX)/bin/groove"

release: ## what people install, in dist/: archives, deb, rpm, bills of materials, checksums
	@$(SETUP) go git npm
	@$(MAKE) --no-print-directory web
	$(PLAIN) $(GO) run -trimpath ./scripts/release -version $(VERSION) -out dist $(RELEASE_FLAGS)

demo: build ## two daemons pair and two agents talk; Ctrl-C ends it
	@$(BIN) demo $(DEMO_FLAGS)

test: ## vet, format, and all tests under the race detector
	@$(SETUP) go cc git
	@$(MAKE) --no-print-directory build vet format test-web
	@$(PLAIN) $(GO) build -trimpath -buildvcs=false -o bin/testgate ./scripts/testgate
	$(RACE) bin/testgate -race -vet=off $(TEST_FLAGS) ./...

check: ## all that is checked without running a test: vet, format, linters, darwin
	@$(SETUP) go
	@$(MAKE) --no-print-directory vet format
	@scripts/lint.sh
	GOOS=darwin $(PLAIN) $(GO) vet -trimpath ./...

vet:
	$(PLAIN) $(GO) vet -trimpath ./...

format:
	@bad=$$(gofmt -l $(GOFILES)) || exit 1; \
	if [ -n "$$bad" ]; then echo "not formatted (gofmt -w):"; echo "$$bad"; exit 1; fi

bench: build ## measure, print, and write bench/latest.json
	$(PLAIN) $(GO) run -trimpath ./test/bench $(BENCH_FLAGS)

fuzz: ## every fuzz target for FUZZTIME (30s)
	@$(SETUP) go
	@scripts/fuzz.sh

test-soak: build ## the long tests: crashes, networks and clocks in real time, an hour of a busy GUI (GROOVE_SOAK=1h)
	$(PLAIN) $(GO) test -trimpath -tags soak -timeout 120m ./internal/clock ./test/...

# The packages that drive real agent programs.
AGENT_TESTS := ./test/agents/...

test-agents: build ## fetch the agent programs from npm and run the tests that need them
	@$(SETUP) go npm
	@programs=$$(test/agents/env.sh opencode claude codex codex-native gemini qwen); eval "$$programs"; \
	$(PLAIN) $(GO) test -trimpath -count=1 -timeout 30m -v $(AGENT_TESTS)

clean: ## remove what make made
	rm -rf bin dist web/node_modules
	find internal/gui/dist -mindepth 1 ! -name .keep -delete
