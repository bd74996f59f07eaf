//go:build !js

package main

// main lets tools that look at every package for this machine find one here.
func main() {}
