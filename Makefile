# Verbs only. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: simulation help database lint vuln kills demo build size weigh check fmt vet unit types deps browser brokers interop test test-long test-cluster scaling race displacement tabs docs bench bench-server fuzz clean

# Node.js where tests/deps.sh had to install a newer one than the system's.
export PATH := $(CURDIR)/.cache/node/node_modules/node/bin:$(PATH)

UNIT = $$(go list ./... | grep -v '/tests/')

help: ## list the verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: build ## run the local cloud and its page (make demo ARGS="-http 127.0.0.1:9000")
	@go run ./demo $(ARGS)

build: ## build js/dist: wasm, loader, types, precompressed
	@go run ./internal/build

size: build ## print raw, gzip and brotli sizes; fail when over the budget
	@go run ./internal/build -size

weigh: ## write docs/size.md: what weighs what in the module
	@go run ./internal/build -weigh

fmt: ## format the Go code
	gofmt -w $$(git ls-files '*.go')

vet: ## go vet natively and for the browser, and the format
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -d $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	GOOS=js GOARCH=wasm go vet ./wasm ./pkg/kiiweb ./internal/...

unit: database ## unit tests
	go test -p 4 $(UNIT)

lint: ## staticcheck: what is wrong, unused or roundabout
	go tool staticcheck -checks 'SA*,S1*,U1000' ./...

vuln: ## known vulnerabilities in what the code calls; asks vuln.go.dev, so it needs the network
	go tool govulncheck ./...

check: vet unit ## the fast checks: format, vet, unit tests

database:
	@sh tests/deps.sh database

deps: ## install what the tests need: PostgreSQL, Chromium, Node.js, npm packages
	@sh tests/deps.sh

types: deps ## type checks and unit tests of the JavaScript package
	cd js && npm run --silent typecheck && npm test --silent
	cd tests/sdk && npm run --silent typecheck

brokers: deps build ## the short form of interop: some scenarios, faults and restarts, with Mosquitto, nats-server and the local cloud
	go -C tests/interop vet ./...
	go -C tests/interop test -count=1 -short -timeout 30m ./...

interop: build ## our client against all brokers, bad networks and restarts, for half an hour, into docs/interop.md and docs/faults.md
	@sh tests/deps.sh long
	go -C tests/interop test -count=1 -timeout 90m . -update

browser: deps build ## end-to-end tests, natively and in headless Chromium
	go test -count=1 -timeout 30m ./tests/... ./bench/tests/...

test: check lint types size browser brokers ## everything that must pass

test-long: test race fuzz simulation kills interop test-cluster displacement tabs ## test, and what takes longer: the race detector, fuzzing, simulations, fifty kills, all brokers, the cluster, fifty tabs (writes their tables anew)

simulation: ## play a session against a simulated broker, network and application: 50,000 seeds
	go test -count=1 -timeout 60m -run 'TestSimulation$$' ./internal/session -seeds 50000

kills: database ## kill the cloud fifty times under load, on each store
	go test -count=1 -timeout 30m -v -run Kills ./tests/crash -kills 50

race: database ## unit tests and native end-to-end tests under the race detector
	go test -race $(UNIT) ./tests/journey

bench: deps build ## measure kiiweb beside other clients, for less than half an hour, into docs/performance.md
	go run ./bench

displacement: deps build ## have clients fight for one connection, for about four minutes, into docs/displacement.md
	go test -count=1 -v -run TestTwoTabsWithOneEndpoint ./tests/browser -fights docs/displacement.md

bench-server: deps ## measure the cloud beside mosquitto, into docs/performance-server.md
	go run ./bench/server

test-cluster: deps build ## three nodes of RabbitMQ and three processes of the cloud, killed and cut off one after the other, into docs/cluster.md
	go test -count=1 -timeout 60m -v -run 'TestCluster$$' ./tests/cluster -whole -report docs/cluster.md

scaling: database ## measure what users cost on a cluster, for some minutes, into docs/scaling.md
	@sh tests/deps.sh cluster
	go test -count=1 -timeout 60m -v -run 'TestCluster$$/costs' ./tests/cluster -users 1000 -time 4s -costs docs/scaling.md

tabs: deps build ## share a connection between up to fifty tabs and end those that lead, for about four minutes, into docs/tabs.md
	go test -count=1 -timeout 30m -v -run TestSharedTabs ./tests/browser -tabs docs/tabs.md

docs: deps build ## write the tables of docs/protocol.md and docs/compat.md, and demo/THIRD_PARTY.txt, anew
	go test -run TestThirdParty ./demo -update
	go test -run TestProtocolDocument ./pkg/kiicloud/rest -update
	go test -run TestBesideKiisSDK ./tests/compat -update

fuzz: ## run each fuzz target for FUZZTIME (default 30s)
	@sh tests/fuzz.sh $${FUZZTIME:-30s}

clean: ## remove what was built
	rm -rf js/dist bench/node_modules js/node_modules tests/sdk/node_modules tests/bundlers/node_modules js/examples/node_modules tests/interop/node_modules
