// Package deptest holds no code, only tests of the tree as a whole: what may be linked
// into the WebAssembly module, who may import whom, what a file's name says about its
// platform, that the toolchain's parts belong together, that documents lead somewhere, and that
// docs/architecture.md tells of what is there.
package deptest
