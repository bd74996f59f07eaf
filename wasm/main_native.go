//go:build !js

package main

import "os"

func main() {
	os.Stderr.WriteString("This program is for web pages: build it with GOOS=js GOARCH=wasm, or run make build.\n")
	os.Exit(2)
}
