// Package house holds the checks that keep the house as docs/ARCHITECTURE.md
// draws it: who imports whom, and that code and documents say the same. Each check
// takes the tree as an fs.FS and returns its faults as lines for people; the tests
// run them over this checkout, and over trees that are wrong on purpose. A check that
// found nothing to look at reports that as a fault.
package house

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Module is the path of the module.
const Module = "groove"

// Root returns the checkout that the working directory is in.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("no go.mod above the working directory")
		}
		dir = up
	}
}

// source is one Go file of the tree.
type source struct {
	path string // slash separated, from the root
	pkg  string // its folder
	test bool
	file *ast.File
	fset *token.FileSet
}

func (s source) at(pos token.Pos) string {
	return fmt.Sprintf("%s:%d", s.path, s.fset.Position(pos).Line)
}

// sources parses every Go file of the tree, in order of path.
func sources(tree fs.FS) ([]source, error) {
	var out []source
	err := files(tree, ".go", func(name string, data []byte) error {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, data, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		out = append(out, source{name, path.Dir(name), strings.HasSuffix(name, "_test.go"), file, fset})
		return nil
	})
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("no Go files found")
	}
	return out, err
}

// files calls visit for every file of the tree with the given end of name that
// belongs to the project.
func files(tree fs.FS, end string, visit func(name string, data []byte) error) error {
	return fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if foreign(name) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, end) {
			return nil
		}
		data, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		return visit(name, data)
	})
}

// foreign reports whether a folder holds nothing that people wrote here.
func foreign(name string) bool {
	base := path.Base(name)
	return name != "." && (base[0] == '.' || base[0] == '_' ||
		slices.Contains([]string{"bin", "dist", "node_modules", "testdata", "vendor"}, base))
}
