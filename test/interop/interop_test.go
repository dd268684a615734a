// Package interop lets programs of the Model Context Protocol's makers judge the MCP
// server of a real daemon: the inspector, and scenarios of the conformance suite.
package interop

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"groove/internal/api"
	"groove/internal/driver/scripted"
	"groove/internal/groove"
	"groove/test/harness"
)

// keptFile names the file in which the program "keeper" keeps what it was told.
const keptFile = "GROOVE_TEST_KEPT"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "keeper" {
		os.Exit(keeper(os.Args[2:]))
	}
	harness.Main(m)
}

// keeper is the scripted program, which keeps what the daemon tells it: address and
// token of its MCP server among that.
func keeper(args []string) int {
	f, err := os.OpenFile(os.Getenv(keptFile), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer f.Close()
	return scripted.Main(args, io.TeeReader(os.Stdin, f), os.Stdout, os.Stderr)
}

// busy begins a turn with its first message and never ends it: what comes later is
// there for who reads the inbox by tool.
const busy = `
default:
  - hang: true
`

// daemon is one that knows the program "keeper".
func daemon(t *testing.T) *harness.Node {
	t.Helper()
	n := harness.New(t, "laptop", "127.0.0.1")
	script := filepath.Join(t.TempDir(), "busy.yaml")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf("[programs.keeper]\ncommand = [%q, \"keeper\", \"--script\", %q]\n", self, script)
	for file, text := range map[string]string{script: busy, filepath.Join(n.Home, "config.toml"): config} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return n.Start()
}

// keys are how an agent's program reaches its MCP server.
type keys struct {
	url    string
	bearer string // value of the header Authorization
}

// agent starts an agent and returns its keys.
func agent(t *testing.T, n *harness.Node, name groove.AgentName) keys {
	t.Helper()
	dir := t.TempDir()
	kept := filepath.Join(dir, "kept")
	if _, err := n.Client.Spawn(t.Context(), api.SpawnRequest{Name: name, Program: "keeper", Dir: dir, Env: []string{keptFile + "=" + kept}}); err != nil {
		t.Fatalf("%v\n%s", err, n.Log())
	}
	text, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var told struct {
			Method string
			Params struct {
				McpServers []struct {
					URL     string
					Headers []struct{ Value string }
				}
			}
		}
		if err := json.Unmarshal([]byte(line), &told); err != nil {
			t.Fatal(err)
		}
		if servers := told.Params.McpServers; told.Method == "session/new" && len(servers) == 1 && len(servers[0].Headers) == 1 {
			return keys{servers[0].URL, servers[0].Headers[0].Value}
		}
	}
	t.Fatal("the program was told of no MCP server")
	return keys{}
}

// judges are the installed programs.
type judges struct{ modules string }

var installOnce = sync.OnceValues(install)

// installed fetches the programs that npm/package-lock.json names. Without npm or its
// registry the test is skipped, but not in CI.
func installed(t *testing.T) judges {
	t.Helper()
	dir, err := installOnce()
	switch {
	case err == nil:
		return judges{filepath.Join(dir, "node_modules")}
	case os.Getenv("CI") == "true":
		t.Fatal(err)
	}
	t.Skipf("SKIPPED: npm cannot fetch MCP's inspector and conformance suite, so nothing is shown here: %v", err)
	return judges{}
}

// install keeps them outside the checkout, in a folder for each lock file that comes to
// be whole or not at all: another run may install at the same time.
func install() (string, error) {
	lock, err := os.ReadFile("npm/package-lock.json")
	if err != nil {
		return "", err
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	base := filepath.Join(home, ".cache", "groove-ci", "interop")
	dir := filepath.Join(base, fmt.Sprintf("%x", sha256.Sum256(lock))[:16])
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(base, 0o755); err != nil {
		return "", err
	}
	fresh, err := os.MkdirTemp(base, "new-")
	if err != nil {
		return "", err
	}
	err = errors.Join(os.CopyFS(fresh, os.DirFS("npm")), fetch(fresh))
	if err == nil {
		err = os.Rename(fresh, dir)
	}
	if err == nil {
		return dir, nil
	}
	err = errors.Join(err, os.RemoveAll(fresh))
	if _, gone := os.Stat(dir); gone == nil {
		return dir, nil // the other run was faster
	}
	return "", err
}

func fetch(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*harness.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--loglevel=error")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	return nil
}

// run runs a program of a package with the Node.js that came with it, in a home of its
// own, and returns what it printed and how it exited.
func (j judges) run(t *testing.T, script string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*harness.Patience)
	defer cancel()
	args = append([]string{filepath.Join(j.modules, "@modelcontextprotocol", script)}, args...)
	cmd := exec.CommandContext(ctx, filepath.Join(j.modules, ".bin", "node"), args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "MCP_INSPECTOR_SECRET_STORE=memory", "NO_COLOR=1")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}
