package kiicloud

import (
	"runtime"
	"runtime/debug"
)

// Build says what a program was built from.
type Build struct {
	Version  string // of the module, as Go knows it; "(devel)" where it does not
	Revision string // the commit, with "+dirty" where more was changed; "" where the build did not see the repository
	Go       string // the toolchain
}

// ThisBuild is what the running program was built from.
func ThisBuild() Build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return buildOf(info)
}

func buildOf(info *debug.BuildInfo) Build {
	b := Build{Version: info.Main.Version, Go: runtime.Version()}
	if b.Version == "" {
		b.Version = "(devel)"
	}
	dirty := ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				dirty = "+dirty"
			}
		}
	}
	if b.Revision != "" {
		b.Revision += dirty
	}
	return b
}
