package service

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestRPM: files, digests and the absence of scripts, as rpm itself reads them. Its program is
// the deb's, byte by byte.
func TestRPM(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("NOT TESTED: the rpm, on another system than Linux")
	}
	tool, err := exec.LookPath("rpm")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("NOT TESTED: the rpm, rpm is missing")
	}
	all, err := filepath.Glob(filepath.Join(released(t), "*.rpm"))
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	ask := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(tool, append(args, all[0])...).CombinedOutput()
		if err != nil {
			t.Fatalf("rpm %v: %v %s", args, err, out)
		}
		return string(out)
	}
	if got := ask("--checksig", "--nosignature"); !strings.Contains(got, "digests OK") {
		t.Error(got)
	}
	if got := ask("-qp", "--nosignature", "--scripts", "--triggers"); got != "" {
		t.Errorf("it runs something when it is installed: %s", got)
	}
	_, exe := installed(t)
	program, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(program)
	want := []string{
		"-rwxr-xr-x root:root /usr/bin/groove " + hex.EncodeToString(sum[:]),
		"-rw-r--r-- root:root /usr/share/bash-completion/completions/groove ",
		"-rw-r--r-- root:root /usr/share/fish/vendor_completions.d/groove.fish ",
		"-rw-r--r-- root:root /usr/share/zsh/site-functions/_groove ", // Debian's folder is another
		"-rw-r--r-- root:root /usr/share/man/man1/groove.1.gz ",
		"-rw-r--r-- root:root /usr/share/doc/groove/copyright ",
	}
	files := ask("-qp", "--nosignature", "--qf", "[%{FILEMODES:perms} %{FILEUSERNAME}:%{FILEGROUPNAME} %{FILENAMES} %{FILEDIGESTS}\n]")
	for _, line := range want {
		if !strings.Contains(files, line) {
			t.Errorf("no %q in\n%s", line, files)
		}
	}
	if strings.Contains(files, "vendor-completions") {
		t.Errorf("zsh does not look there:\n%s", files)
	}
	head := ask("-qp", "--nosignature", "--qf", "%{NAME} %{VERSION} %{ARCH} %{LICENSE}")
	if want := "groove 9.9.9~test.1 "; !strings.HasPrefix(head, want) || !strings.HasSuffix(head, " Apache-2.0") {
		t.Errorf("%q", head)
	}
}
