# Every action of the project; the work is done by the scripts in build/, one concept each.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test build build-arm64 bench soak lint image clean

# Extra arguments: `make run ARGS='--port 9000'`, `make test FILTER=RtpReader`, `make bench ARGS='--seconds 60'`.
ARGS ?=
FILTER ?=

# What builds in this folder goes through build/in-turn: two makes would build over each other.

help: ## list the actions
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## set up, build and start the demo; it prints the URL to open
	@exec out/linux-x64/edgenode demo $(ARGS)

test: ## set up, build and run every test; the last line counts them
	@build/setup-packages build test
	@build/in-turn 'build/setup-assets && \
	  build/setup-test-media && \
	  build/publish linux-x64 && \
	  build/test $(FILTER)'

build: ## publish the binary and what lies beside it to out/linux-x64
	@build/setup-packages build
	@build/in-turn 'build/setup-assets && build/publish linux-x64'

build-arm64: ## the same for arm64 boards, to out/linux-arm64
	@build/setup-packages build arm64
	@build/in-turn 'build/setup-assets && build/publish linux-arm64'

bench: ## compare CPU and memory with FFmpeg and with a home-made OpenCV stack
	@build/setup-packages build bench
	@build/in-turn 'build/setup-assets && \
	  build/setup-test-media && \
	  build/publish linux-x64 && \
	  build/bench $(ARGS)'

soak: ## repeat often what tests do a few times: dying cameras, kills while writing, random input
	@build/setup-packages build test
	@build/in-turn 'build/setup-assets && \
	  build/setup-test-media && \
	  build/publish linux-x64 && \
	  build/soak $(FILTER)'

lint: ## check format, analysers and shell scripts
	@build/setup-packages lint
	@build/in-turn build/lint

image: ## board images (not there yet)
	@echo "make image: there is no board image yet; 'make build-arm64' makes the program for a board." >&2; exit 1

clean: ## remove all that was built; what was downloaded stays in out/cache
	@build/in-turn build/clean
