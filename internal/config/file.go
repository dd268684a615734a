package config

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	kparser "github.com/knadh/koanf/parsers/toml/v2"
	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// maxFile bounds config.toml: a thousand times what people write.
const maxFile = 1 << 20

// file is config.toml as it was found.
type file struct {
	path   string
	values map[string]any
	lines  map[string]int // first line of each dotted key, prefixes too
}

func (f *file) at(name string) string {
	for n := name; n != ""; n, _ = cutLast(n) {
		if line := f.lines[n]; line > 0 {
			return f.path + ":" + strconv.Itoa(line)
		}
	}
	return f.path
}

func cutLast(name string) (string, bool) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return "", false
	}
	return name[:i], true
}

// readFile reads config.toml. Without one it returns an empty file; one that
// cannot be used at all returns the problem.
func readFile(home string) (*file, *Problem) {
	path := Path(home)
	data, why := slurp(path)
	if why != "" {
		return &file{path: path}, &Problem{Where: path, Why: why, Allowed: "a file of your own, written by nobody else, in TOML"}
	}
	return parseFile(path, data)
}

// parseFile reads what stands, or would stand, in the file.
func parseFile(path string, data []byte) (*file, *Problem) {
	f := &file{path: path}
	values, err := kparser.Parser().Unmarshal(data)
	var syntax *toml.DecodeError
	switch {
	case errors.As(err, &syntax):
		line, column := syntax.Position()
		where := f.path + ":" + strconv.Itoa(line) + ":" + strconv.Itoa(column)
		return f, &Problem{Where: where, Why: strings.TrimPrefix(syntax.Error(), "toml: "), Allowed: "TOML 1.0"}
	case err != nil:
		return f, &Problem{Where: f.path, Why: err.Error(), Allowed: "TOML 1.0"}
	}
	f.values, f.lines = values, lines(data)
	return f, nil
}

// slurp reads the file that only its owner may have written: it names programs
// that are run.
func slurp(path string) (data []byte, why string) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ""
	}
	if err != nil {
		return nil, reason(err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, reason(err)
	case !info.Mode().IsRegular():
		return nil, "it is not a file"
	}
	if why := foreign(info); why != "" && !hidden(info, filepath.Dir(path)) {
		return nil, why
	}
	data, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, reason(err)
	case len(data) > maxFile:
		return nil, "it is over 1 MiB"
	}
	return data, ""
}

// hidden reports whether a file of our own lies in a folder that nobody else can
// enter: many systems make files group-writable, which harms nobody there.
func hidden(file fs.FileInfo, dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.Mode().Perm()&0o077 == 0 && ownedByUs(info) && ownedByUs(file)
}

// reason is an error without the path, which is said anyway.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// lines finds the line of each key; what stands in an inline table has the line of
// that table. data has been parsed already, so an error
// only ends the search.
func lines(data []byte) map[string]int {
	out := map[string]int{}
	var p unstable.Parser
	p.Reset(data)
	prefix := ""
	for p.NextExpression() {
		node := p.Expression()
		switch node.Kind {
		case unstable.Table, unstable.ArrayTable:
			prefix = note(out, &p, "", node)
		case unstable.KeyValue:
			note(out, &p, prefix, node)
		}
	}
	return out
}

// note enters each part of a node's key and returns the whole key.
func note(out map[string]int, p *unstable.Parser, name string, node *unstable.Node) string {
	for it := node.Key(); it.Next(); {
		if name != "" {
			name += "."
		}
		name += string(it.Node().Data)
		if out[name] == 0 {
			out[name] = p.Shape(it.Node().Raw).Start.Line
		}
	}
	return name
}
