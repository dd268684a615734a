package programs

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// maxPackage bounds a package.json: a hundred times what they are.
const maxPackage = 1 << 20

// npmPackage is the npm package that a command comes from; the zero value is none.
type npmPackage struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	dir     string
}

// packageOf finds the package that a command lies in: npm links commands to it.
func packageOf(command string) npmPackage {
	real, err := filepath.EvalSymlinks(command)
	if err != nil {
		return npmPackage{}
	}
	for dir := filepath.Dir(real); ; dir = filepath.Dir(dir) {
		if p, ok := readPackage(dir); ok {
			return p
		}
		if base := filepath.Base(dir); base == "node_modules" || base == "/" || base == "." {
			return npmPackage{}
		}
	}
}

// readPackage reads dir/package.json. One without a name, as stands in dist folders, is none.
func readPackage(dir string) (npmPackage, bool) {
	p := npmPackage{dir: dir}
	f, err := os.Open(filepath.Join(dir, "package.json"))
	if err != nil {
		return p, false
	}
	defer f.Close() // only read from
	err = json.NewDecoder(io.LimitReader(f, maxPackage)).Decode(&p)
	p.Version = versionIn(p.Version)
	return p, err == nil && p.Name != ""
}

// of reports whether the package is a profile's own, or the one of it for a platform.
func (n npmPackage) of(p Profile) bool {
	return p.Package != "" && (n.Name == p.Package || strings.HasPrefix(n.Name, p.Package+"-"))
}

// beside reports whether a package would find another one, as Node.js looks for it.
func (n npmPackage) beside(name string) bool {
	for dir := n.dir; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "node_modules", filepath.FromSlash(name), "package.json")); err == nil {
			return true
		}
		if dir == filepath.Dir(dir) {
			return false
		}
	}
}

// interpreter is what a script's first line says.
type interpreter struct {
	node bool
	path string // as lookPath takes it
}

// scriptOf reads a command's first line; the zero value is a binary.
func scriptOf(command string) interpreter {
	f, err := os.Open(command)
	if err != nil {
		return interpreter{}
	}
	defer f.Close() // only read from
	line, err := bufio.NewReader(io.LimitReader(f, 512)).ReadString('\n')
	if err != nil && err != io.EOF {
		return interpreter{}
	}
	rest, ok := strings.CutPrefix(line, "#!")
	words := strings.Fields(rest)
	if !ok || len(words) == 0 {
		return interpreter{}
	}
	if path.Base(words[0]) == "env" {
		words = words[1:]
		for len(words) > 0 && (strings.HasPrefix(words[0], "-") || strings.Contains(words[0], "=")) {
			words = words[1:]
		}
	}
	if len(words) == 0 {
		return interpreter{}
	}
	name := path.Base(words[0])
	return interpreter{node: name == "node" || name == "nodejs", path: words[0]}
}

var versionPattern = regexp.MustCompile(`\d+\.\d+(\.\d+)*(-[0-9A-Za-z.-]+)?`)

// versionIn is the first version in what a program said.
func versionIn(text string) string { return versionPattern.FindString(text) }

// compare is -1, 0 or 1 for two versions by their numbers; what follows a hyphen does
// not count, so that 22.0.0-nightly is as good as 22.0.0.
func compare(a, b string) int {
	na, nb := numbers(a), numbers(b)
	for i := range max(len(na), len(nb)) {
		var x, y int
		if i < len(na) {
			x = na[i]
		}
		if i < len(nb) {
			y = nb[i]
		}
		if x != y {
			if x < y {
				return -1
			}
			return 1
		}
	}
	return 0
}

func numbers(version string) []int {
	version, _, _ = strings.Cut(version, "-")
	var out []int
	for part := range strings.SplitSeq(version, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			break
		}
		out = append(out, n)
	}
	return out
}

func executable(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return errors.New(path + " is a folder")
	case unix.Access(path, unix.X_OK) != nil:
		return errors.New(path + " may not be executed")
	}
	return nil
}
