// Package page has a real browser run the scripts of web/e2e on pages that daemons serve, for tests
// and measurements that are more than a way through the GUI, and weighs what such a page loads.
package page

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"

	"groove/internal/gui"
)

// Lacks says what this machine has not got for Drive, "" if nothing.
func Lacks() string {
	if gui.Files() == nil {
		return "the GUI is not built in (make web)"
	}
	web, err := folder()
	if err != nil {
		return err.Error()
	}
	if _, err := os.Stat(filepath.Join(web, "node_modules", "playwright-core")); err != nil {
		return "playwright-core is not installed (npm ci in web)"
	}
	for _, program := range []string{"chromium", "node"} {
		if _, err := exec.LookPath(program); err != nil {
			return program + " is not installed"
		}
	}
	return ""
}

// Drive runs a script with what it is to know and hands on each line that it prints. What it
// complains of is the error.
func Drive(ctx context.Context, script string, facts map[string]any, line func([]byte) error) error {
	web, err := folder()
	if err != nil {
		return err
	}
	if facts["chromium"], err = exec.LookPath("chromium"); err != nil {
		return err
	}
	known, err := json.Marshal(facts)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "node", filepath.Join(web, "e2e", script))
	cmd.Env = append(os.Environ(), "GROOVE_FACTS="+string(known))
	var wrong bytes.Buffer
	cmd.Stderr = &wrong
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	var refused error
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if refused == nil {
			refused = line(lines.Bytes())
		}
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w\n%s", script, err, wrong.Bytes())
	}
	return refused
}

// folder is web/ of the checkout.
func folder() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return filepath.Join(at, "web"), nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("%s is in no checkout", dir)
		}
	}
}

var named = regexp.MustCompile(`(?:src|href)="/(assets/[^"]+)"`)

// Weigh returns what a browser may fetch for the first view, compressed: the page, what it names,
// the tree that is the first view, and the two fonts of Latin text, which are compressed already.
func Weigh(files fs.FS) (map[string]int, error) {
	html, err := fs.ReadFile(files, "index.html")
	if err != nil {
		return nil, err
	}
	first := []string{"index.html", "theme.js"}
	for _, m := range named.FindAllSubmatch(html, -1) {
		first = append(first, string(m[1]))
	}
	if len(first) < 4 {
		return nil, fmt.Errorf("the page names %v: no script, or no style", first)
	}
	for _, pattern := range []string{"assets/tree-*", "assets/geist-latin-wght-*", "assets/geist-mono-latin-wght-*"} {
		found, err := fs.Glob(files, pattern)
		if err != nil || len(found) == 0 {
			return nil, fmt.Errorf("nothing is called %s: %w", pattern, err)
		}
		first = append(first, found...)
	}
	out := map[string]int{}
	for _, name := range first {
		if out[name], err = packed(files, name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func packed(files fs.FS, name string) (int, error) {
	b, err := fs.ReadFile(files, name)
	if err != nil || path.Ext(name) == ".woff2" {
		return len(b), err
	}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		return 0, err
	}
	err = w.Close()
	return out.Len(), err
}
