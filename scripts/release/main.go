// Command release builds what people install: binaries, archives, deb and rpm, each
// binary's bill of materials, and the checksums of all, in dist/. Two runs over the same
// tree give the same bytes: no time but the commit's goes in, no path of this machine.
package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// release is one run.
type release struct {
	version string
	out     string
	at      time.Time // on every file
	extras  []extra   // what goes beside the binary
	made    []string  // files in out
}

// target is a system and a processor, as Go names them.
type target struct{ os, arch string }

func main() {
	version := flag.String("version", "", "version without a v; needed")
	out := flag.String("out", "dist", "folder for the results")
	targets := flag.String("targets", "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64", "systems, with commas between")
	packages := flag.Bool("packages", true, "deb and rpm as well")
	flag.Parse()
	if err := run(*version, *out, *targets, *packages); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(version, out, targets string, packages bool) error {
	if version == "" {
		return fmt.Errorf("-version is needed: make release VERSION=1.2.3")
	}
	at, err := commitTime()
	if err != nil {
		return err
	}
	if out, err = filepath.Abs(out); err != nil {
		return err
	}
	work := filepath.Join(out, "work")
	if err := sweep(out); err != nil {
		return err
	}
	if err := os.MkdirAll(work, 0o755); err != nil {
		return err
	}
	r := &release{version: version, out: out, at: at}
	if err := r.gather(work); err != nil {
		return err
	}
	for _, name := range strings.Split(targets, ",") {
		system, arch, ok := strings.Cut(name, "/")
		if !ok {
			return fmt.Errorf("%q is no system/processor", name)
		}
		if err := r.target(target{system, arch}, work, packages); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := r.checksums(); err != nil {
		return err
	}
	return os.RemoveAll(work)
}

// sweep removes what an earlier run left, and nothing else.
func sweep(out string) error {
	old, err := filepath.Glob(filepath.Join(out, "groove_*"))
	if err != nil {
		return err
	}
	for _, path := range append(old, filepath.Join(out, "SHA256SUMS"), filepath.Join(out, "work")) {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

// commitTime is what SOURCE_DATE_EPOCH says, else the time of the last commit.
func commitTime() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		out, err := exec.Command("git", "log", "-1", "--format=%ct").Output()
		if err != nil {
			return time.Time{}, fmt.Errorf("the time of the last commit: %w; or set SOURCE_DATE_EPOCH", err)
		}
		text = strings.TrimSpace(string(out))
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(n, 0).UTC(), err
}

// build links one binary.
func (r *release) build(t target, path string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X groove/internal/groove.Version="+r.version, "-o", path, "./cmd/groove")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+t.os, "GOARCH="+t.arch, "GOFLAGS=")
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

func (r *release) target(t target, work string, packages bool) error {
	fmt.Fprintf(os.Stderr, "release: %s/%s\n", t.os, t.arch)
	binary := filepath.Join(work, t.os+"_"+t.arch, "groove")
	if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
		return err
	}
	if err := r.build(t, binary); err != nil {
		return err
	}
	base := fmt.Sprintf("groove_%s_%s_%s", r.version, t.os, t.arch)
	if err := r.archive(base, binary); err != nil {
		return err
	}
	if err := r.bill(base+".cdx.json", binary); err != nil {
		return err
	}
	if !packages || t.os != "linux" {
		return nil
	}
	for _, format := range []string{"deb", "rpm"} {
		if err := r.pack(format, t, binary, work); err != nil {
			return err
		}
	}
	return nil
}

// gather makes what goes beside the binary; the manual and the completions are the
// program's own words.
func (r *release) gather(work string) error {
	host := filepath.Join(work, "host")
	if err := r.build(target{runtime.GOOS, runtime.GOARCH}, host); err != nil {
		return err
	}
	for _, said := range []struct {
		args    []string
		archive string
		system  string
	}{
		{[]string{"man"}, "man/groove.1", "/usr/share/man/man1/groove.1.gz"},
		{[]string{"completion", "bash"}, "completion/groove.bash", "/usr/share/bash-completion/completions/groove"},
		{[]string{"completion", "zsh"}, "completion/_groove", "/usr/share/zsh/vendor-completions/_groove"},
		{[]string{"completion", "fish"}, "completion/groove.fish", "/usr/share/fish/vendor_completions.d/groove.fish"},
	} {
		cmd := exec.Command(host, said.args...)
		cmd.Env = append(os.Environ(), "GROOVE_HOME="+filepath.Join(work, "none"))
		text, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("groove %v: %w", said.args, err)
		}
		r.extras = append(r.extras, extra{said.archive, said.system, text})
	}
	for _, file := range []struct{ name, system string }{
		{"LICENSE", "/usr/share/doc/groove/copyright"}, {"CHANGELOG.md", "/usr/share/doc/groove/CHANGELOG.md"}, {"README.md", "/usr/share/doc/groove/README.md"},
	} {
		text, err := os.ReadFile(file.name)
		if err != nil {
			return err
		}
		r.extras = append(r.extras, extra{file.name, file.system, text})
	}
	return nil
}

// checksums are of the form that sha256sum -c reads.
func (r *release) checksums() error {
	slices.Sort(r.made)
	var text strings.Builder
	for _, name := range r.made {
		b, err := os.ReadFile(filepath.Join(r.out, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "%x  %s\n", sha256.Sum256(b), name)
		fmt.Fprintf(os.Stderr, "release: %8d KiB  %s\n", len(b)>>10, name)
	}
	return os.WriteFile(filepath.Join(r.out, "SHA256SUMS"), []byte(text.String()), 0o644)
}
