// Package service installs what a release holds and lives through what a machine does
// to it: start by its unit, kill, upgrade.
package service

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"groove/test/harness"
)

// module is the checkout: the folder above test/.
func module(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// release runs the program behind `make release` for this machine's system.
func release(root, out, version string, packages bool) error {
	cmd := exec.Command("go", "run", "-trimpath", "./scripts/release", "-version", version, "-out", out, "-targets", runtime.GOOS+"/"+runtime.GOARCH, fmt.Sprintf("-packages=%t", packages))
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "SOURCE_DATE_EPOCH=1775000000", "GOFLAGS=-buildvcs=false")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("release: %w\n%s", err, text)
	}
	return nil
}

// once makes the release that the tests share.
var once = sync.OnceValues(func() (string, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	out, err := os.MkdirTemp("", "groove-release-")
	if err != nil {
		return "", err
	}
	return out, release(root, out, "9.9.9-test.1", runtime.GOOS == "linux")
})

// sources are what the built programs hang on most: a change of them is one of the tests.
var sources = []string{"cmd/groove", "scripts/release", "internal/api", "internal/config", "internal/daemon", "internal/service"}

func released(t *testing.T) string {
	t.Helper()
	harness.Sources(t, sources...)
	out, err := once()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestReleaseIsTheSameTwice: byte by byte, and the checksums are those of the files.
func TestReleaseIsTheSameTwice(t *testing.T) {
	first, second := released(t), t.TempDir()
	if err := release(module(t), second, "9.9.9-test.1", runtime.GOOS == "linux"); err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(first, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	names := 0
	for line := range strings.Lines(string(sums)) {
		sum, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		a, errA := os.ReadFile(filepath.Join(first, name))
		b, errB := os.ReadFile(filepath.Join(second, name))
		if !ok || errA != nil || errB != nil {
			t.Fatalf("%q: %v %v", line, errA, errB)
		}
		names++
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs between two runs", name)
		}
		if got := sha256.Sum256(a); hex.EncodeToString(got[:]) != sum {
			t.Errorf("%s has another checksum", name)
		}
	}
	want := 2 // archive and bill
	if runtime.GOOS == "linux" {
		want = 4
	}
	if entries, err := os.ReadDir(first); err != nil || names != want || len(entries) != want+1 {
		t.Errorf("%d files with checksums, %v %v", names, entries, err)
	}
}

// TestArchive: it unpacks into one folder, the program in it is the release's version,
// and its bill of materials names every module that the linker put in.
func TestArchive(t *testing.T) {
	out, to := released(t), t.TempDir()
	base := fmt.Sprintf("groove_9.9.9-test.1_%s_%s", runtime.GOOS, runtime.GOARCH)
	f, err := os.Open(filepath.Join(out, base+".tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	r := tar.NewReader(zip)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || !strings.HasPrefix(h.Name, base+"/") || h.Uid != 0 || h.Uname != "" || h.ModTime.Unix() != 1775000000 {
			t.Fatalf("%+v %v", h, err)
		}
		has[strings.TrimPrefix(h.Name, base+"/")] = true
		if strings.HasSuffix(h.Name, "/groove") {
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(to, "groove"), b, 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range []string{"groove", "LICENSE", "README.md", "CHANGELOG.md", "man/groove.1", "completion/_groove"} {
		if !has[name] {
			t.Errorf("no %s in %v", name, has)
		}
	}
	program := filepath.Join(to, "groove")
	if said, err := exec.Command(program, "version").Output(); err != nil || !strings.HasPrefix(string(said), "groove 9.9.9-test.1 ") {
		t.Errorf("%q %v", said, err)
	}
	if info, err := os.Stat(program); err != nil || info.Size() > 40<<20 {
		t.Errorf("over 40 MB: %v %v", info, err)
	}
	bill(t, filepath.Join(out, base+".cdx.json"), program)
}

func bill(t *testing.T, file, program string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Format     string `json:"bomFormat"`
		Components []struct {
			Name string `json:"name"`
			PURL string `json:"purl"`
		} `json:"components"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil || doc.Format != "CycloneDX" {
		t.Fatalf("%v %s", err, raw)
	}
	told := map[string]bool{}
	for _, c := range doc.Components {
		told[c.Name] = c.PURL != ""
	}
	info, err := buildinfo.ReadFile(program)
	if err != nil || len(info.Deps) == 0 {
		t.Fatal(err, info)
	}
	for _, m := range info.Deps {
		if !told[m.Path] {
			t.Errorf("%s is in the program and not in its bill", m.Path)
		}
	}
	if strings.Contains(string(raw), filepath.Dir(program)) {
		t.Error("a path of this machine is in the bill")
	}
}
