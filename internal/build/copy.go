package main

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// infoFile tells what js/dist was built from.
const infoFile = "build-info.json"

// copyFiles copies what is shipped as it is written: the types, the licences, and
// wasm_exec.js for pages that use the module without the loader.
func copyFiles(p *project) error {
	sources, err := filepath.Glob(p.at("js", "types", "*.d.ts"))
	if err != nil {
		return err
	}
	for _, source := range append(sources, p.at("wasm_exec.js"), p.at("LICENSE"), p.at("js", "NOTICE")) {
		data, err := os.ReadFile(source)
		if err != nil {
			return err
		}
		target := p.dist(filepath.Base(source))
		wrote, err := put(target, data)
		if err != nil {
			return err
		}
		if wrote {
			announce(target)
		}
	}
	return nil
}

// info is the content of build-info.json.
type info struct {
	Version   string `json:"version"`
	Toolchain string `json:"toolchain"`
	Build     string `json:"build"` // what the loader expects in the module's section go:buildid
	Files     string `json:"files"` // what the scripts expect of each other
	Wasm      struct {
		SHA256 string `json:"sha256"`
	} `json:"wasm"`
	// SHA256 is that of each script and of the module, by file.
	SHA256 map[string]string `json:"sha256"`
}

func writeInfo(p *project, wasm *module, files string) error {
	i := info{Version: p.version, Toolchain: p.goName, Build: wasm.build, Files: files}
	i.Wasm.SHA256 = wasm.sha256
	i.SHA256 = map[string]string{wasmFile: wasm.sha256}
	for _, l := range loaders {
		hash, err := hashFile(p.dist(l.file))
		if err != nil {
			return err
		}
		i.SHA256[l.file] = hash
	}
	data, err := json.MarshalIndent(i, "", "\t")
	if err != nil {
		return err
	}
	wrote, err := put(p.dist(infoFile), append(data, '\n'))
	if wrote && err == nil {
		announce(p.dist(infoFile))
	}
	return err
}
