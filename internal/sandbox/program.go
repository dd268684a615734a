package sandbox

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// programFiles is where a program is installed: its own folder, that of whoever interprets it,
// and of Node.js where a script asks for it by name.
func programFiles(argv []string, env vars) []string {
	var out []string
	seen := map[string]bool{}
	for path := argv[0]; path != "" && !seen[path] && len(seen) < 4; path = interpreter(path, env) {
		seen[path] = true
		out = append(out, installed(path)...)
	}
	return out
}

// installed is what belongs to a program file: the whole of the outermost node_modules that it
// lies in, or its folder with the libraries that stand beside a bin.
func installed(path string) []string {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil
	}
	if i := strings.Index(real, "/node_modules/"); i >= 0 {
		return []string{real[:i+len("/node_modules")]}
	}
	dir := filepath.Dir(real)
	if filepath.Base(dir) != "bin" {
		return []string{real, dir}
	}
	prefix := filepath.Dir(dir)
	out := []string{real}
	for _, beside := range []string{"lib", "lib64", "libexec", "pyvenv.cfg"} {
		out = append(out, filepath.Join(prefix, beside))
	}
	if link := filepath.Dir(path); link == dir { // siblings that it calls by its own place, as npm beside node
		out = append(out, dir)
	}
	return out
}

// interpreter is the program that a script's first line names, "" for what is no script.
func interpreter(path string, env vars) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close() //nolint:errcheck // only read from
	line, err := bufio.NewReaderSize(f, 256).ReadSlice('\n')
	if err != nil || !strings.HasPrefix(string(line), "#!") {
		return ""
	}
	words := strings.Fields(string(line[2:]))
	if len(words) > 1 && filepath.Base(words[0]) == "env" {
		words = slices.DeleteFunc(words[1:], func(w string) bool { return strings.HasPrefix(w, "-") })
		if len(words) == 0 {
			return ""
		}
		return lookPath(words[0], env["PATH"])
	}
	if len(words) == 0 {
		return ""
	}
	return words[0]
}

// lookPath finds a program on a PATH that is not this process's.
func lookPath(name, path string) string {
	for _, dir := range filepath.SplitList(path) {
		full := filepath.Join(dir, name)
		if info, err := os.Stat(full); filepath.IsAbs(full) && err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return full
		}
	}
	return ""
}
