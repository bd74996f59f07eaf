// Command wasm is the client library for web pages: GOOS=js GOARCH=wasm go build ./wasm
// gives kiiweb.wasm. Under a plain wasm_exec.js it sets one global, kiiweb, before go.run
// returns; the loader has the same functions handed over privately.
//
// Values go in and out plainly, and every function gives a Promise that settles. A wrong
// argument rejects it; nothing that a page can pass ends the program. The functions are
// the methods of the loader's client: logins of users and things, the installation and its
// endpoint, topics and subscriptions, sending, connect. js/types/raw.d.ts documents them.
package main
