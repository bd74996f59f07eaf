// Package repacked runs Go programs in Chromium whose tables of functions are as short as the shipped module's, and does what
// the runtime needs these tables for: growing and moving stacks, collecting garbage while they are deep, panics, deferred calls.
package repacked
