package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// nfpm makes debs and rpms; fetched by Go when it is used.
const nfpm = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2"

// pack makes one package.
func (r *release) pack(format string, t target, binary, work string) error {
	file := filepath.Join(work, fmt.Sprintf("nfpm-%s-%s.yaml", format, t.arch))
	text, err := r.recipe(format, t, binary, work)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return err
	}
	name := fmt.Sprintf("groove_%s_linux_%s.%s", r.version, t.arch, format)
	cmd := exec.Command("go", "run", nfpm, "package", "--packager", format, "--config", file, "--target", filepath.Join(r.out, name))
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "CGO_ENABLED=0", fmt.Sprint("SOURCE_DATE_EPOCH=", r.at.Unix()))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("nfpm: %w\n%s", err, out)
	}
	r.made = append(r.made, name)
	return nil
}

// place is where a format's systems look for a file: zsh is the one that differs.
func place(format, path string) string {
	if format == "rpm" {
		return strings.Replace(path, "/zsh/vendor-completions/", "/zsh/site-functions/", 1)
	}
	return path
}

// recipe is nfpm's.
func (r *release) recipe(format string, t target, binary, work string) (string, error) {
	var b strings.Builder
	at := r.at.Format(time.RFC3339)
	fmt.Fprintf(&b, "name: groove\narch: %s\nplatform: linux\nversion: %q\nsection: devel\npriority: optional\nmtime: %s\n", t.arch, r.version, at)
	b.WriteString("maintainer: The groove authors\nlicense: Apache-2.0\ndescription: |\n  Runs AI coding agents, and lets agents on paired machines work as one team.\n")
	b.WriteString("rpm:\n  buildhost: groove\n  group: Development/Tools\n  summary: AI coding agents that work as one team\n")
	b.WriteString("contents:\n")
	content := func(src, dst string, mode int) {
		fmt.Fprintf(&b, "  - src: %s\n    dst: %s\n    file_info:\n      mode: 0%o\n      mtime: %s\n", src, dst, mode, at)
	}
	content(binary, "/usr/bin/groove", 0o755)
	for i, e := range r.extras {
		data := e.text
		if strings.HasSuffix(e.system, ".gz") {
			var err error
			if data, err = zipped(data); err != nil {
				return "", err
			}
		}
		src := filepath.Join(work, fmt.Sprintf("extra-%d", i))
		if err := os.WriteFile(src, data, 0o644); err != nil {
			return "", err
		}
		content(src, place(format, e.system), 0o644)
	}
	return b.String(), nil
}
