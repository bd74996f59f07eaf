package kiicloud

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBuild(t *testing.T) {
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "0123abc"}
	for name, c := range map[string]struct {
		info debug.BuildInfo
		want Build
	}{
		"nothing known": {debug.BuildInfo{}, Build{"(devel)", "", runtime.Version()}},
		"a release":     {debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{revision, {Key: "vcs.modified", Value: "false"}}}, Build{"v1.2.3", "0123abc", runtime.Version()}},
		"changed since": {debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs.modified", Value: "true"}, revision}}, Build{"(devel)", "0123abc+dirty", runtime.Version()}},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, buildOf(&c.info)) })
	}
	s := start(t, t.TempDir())
	b := ThisBuild()
	assert.EqualValues(t, 1, numbers(t, s)[`kiicloud_build_info{go="`+b.Go+`",revision="`+b.Revision+`",version="`+b.Version+`"}`])
}
