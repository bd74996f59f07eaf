package deptest

import (
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// forJSAlone are the packages that exist for the browser only, where types may stand in
// files that say so.
var forJSAlone = []string{"internal/jsx", "wasm"}

// source is one Go file.
type source struct {
	path   string // inside the module
	syntax *ast.File
}

// sources reads every Go file of the module.
func sources(t *testing.T) []source {
	t.Helper()
	var files []source
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			name := entry.Name()
			if name == "node_modules" || name == "testdata" || strings.HasPrefix(name, ".") && name != ".." {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(root, path)
		files = append(files, source{filepath.ToSlash(inside), syntax})
		return err
	})
	require.NoError(t, err)
	require.Greater(t, len(files), 50, "the walk finds the module")
	return files
}

// platform is what the file's name says: "js", "native" or "" for any.
func (s source) platform() string {
	name := strings.TrimSuffix(strings.TrimSuffix(s.path, ".go"), "_test")
	switch {
	case strings.HasSuffix(name, "_js"):
		return "js"
	case strings.HasSuffix(name, "_native"):
		return "native"
	}
	return ""
}

// constraint gives the file's //go:build line, or nil.
func (s source) constraint() constraint.Expr {
	for _, group := range s.syntax.Comments {
		if group.Pos() > s.syntax.Package {
			return nil
		}
		for _, comment := range group.List {
			if expression, err := constraint.Parse(comment.Text); err == nil && constraint.IsGoBuild(comment.Text) {
				return expression
			}
		}
	}
	return nil
}

// mentions tells whether a constraint depends on a tag.
func mentions(e constraint.Expr, tag string) bool {
	if e == nil {
		return false
	}
	return slices.Contains(strings.FieldsFunc(e.String(), func(r rune) bool { return strings.ContainsRune("!&|() ", r) }), tag)
}

func TestNamesSayThePlatform(t *testing.T) {
	for _, s := range sources(t) {
		e := s.constraint()
		switch s.platform() {
		case "native":
			if assert.NotNil(t, e, "%s needs //go:build !js", s.path) {
				assert.Equal(t, "!js", e.String(), "the constraint of %s", s.path)
			}
		case "js":
			assert.Nil(t, e, "the name of %s is its constraint", s.path)
		default:
			assert.False(t, mentions(e, "js"), "%s depends on the platform: its name must end with _js or _native", s.path)
		}
	}
}

func TestSharedTypesAreShared(t *testing.T) {
	for _, s := range sources(t) {
		if s.platform() == "" || strings.HasSuffix(s.path, "_test.go") || slices.Contains(forJSAlone, folderOf(s.path)) {
			continue
		}
		for _, declaration := range s.syntax.Decls {
			types, ok := declaration.(*ast.GenDecl)
			if !ok || types.Tok != token.TYPE {
				continue
			}
			for _, spec := range types.Specs {
				name := spec.(*ast.TypeSpec).Name
				assert.False(t, name.IsExported(), "%s declares type %s: shared types belong into files for every platform", s.path, name)
			}
		}
	}
}

func TestNoBranchesOnThePlatform(t *testing.T) {
	for _, s := range sources(t) {
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			if selector, ok := n.(*ast.SelectorExpr); ok {
				from, _ := selector.X.(*ast.Ident)
				assert.False(t, from != nil && from.Name == "runtime" && selector.Sel.Name == "GOOS",
					"%s asks for runtime.GOOS: put the code into a file for the platform", s.path)
			}
			return true
		})
	}
}

func folderOf(path string) string {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i]
	}
	return "."
}

func TestMentions(t *testing.T) {
	for line, want := range map[string]bool{
		"//go:build js":           true,
		"//go:build !js && amd64": true,
		"//go:build (linux||js)":  true,
		"//go:build unix":         false,
		"//go:build nodejs":       false,
	} {
		e, err := constraint.Parse(line)
		require.NoError(t, err)
		assert.Equal(t, want, mentions(e, "js"), line)
	}
	assert.False(t, mentions(nil, "js"))
}
