// Package enginetest is the contract of engine.Engine as tests: one suite that every engine has to
// pass, with MQTT clients that speak to whatever listens for it.
//
// An engine is put to it by a function that starts it and says in Traits in what the broker behind it
// may differ. What is not a trait is the same everywhere.
package enginetest
