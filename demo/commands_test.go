package main

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCommandsExplainThemselves(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"backup without a target": {[]string{"backup", "-data", dir}, exitUsage, "-to is missing"},
		"backup of nothing":       {[]string{"backup", "-data", dir, "-to", filepath.Join(dir, "copy")}, exitFailed, "not a cloud's data folder"},
		"backup with more":        {[]string{"backup", "x"}, exitUsage, "unexpected argument x"},
		"move without a target":   {[]string{"move", "-data", dir}, exitUsage, "-store is missing"},
		"move of nothing":         {[]string{"move", "-data", dir, "-store", "postgres://h/d"}, exitFailed, "there is no database"},
		"forget without an app":   {[]string{"forget", "-data", dir}, exitUsage, "-app-id is missing"},
		"forget another one":      {[]string{"forget", "-data", dir, "-app-id", "a", "-confirm", "b"}, exitUsage, "nothing was removed"},
		"forget of nothing":       {[]string{"forget", "-data", dir, "-app-id", "a"}, exitFailed, "there is no database"},
		"forget from a folder":    {[]string{"forget", "-store", "files", "-app-id", "a"}, exitFailed, "-store"},
		"help of a command":       {[]string{"backup", "-h"}, 0, "-to"},
		"version":                 {[]string{"version"}, 0, "kiicloud "},
		"version of what":         {[]string{"version", "x"}, exitUsage, "unexpected argument x"},
		"licences":                {[]string{"licences"}, 0, "Copyright 2009 The Go Authors."},
		"help":                    {[]string{"-h"}, 0, "backup"},
		"no such command":         {[]string{"bakcup"}, exitUsage, "unexpected argument bakcup"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			assert.Equal(t, c.code, run(c.args, &out, &errs))
			assert.Contains(t, out.String()+errs.String(), c.says)
		})
	}
}
