// Package agents drives real agent programs through groove, offline: the
// program runs whole turns against the scripted model server of test/modelserver. Its
// helpers serve every test that needs a real program.
package agents

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"groove/test/modelserver"
)

// Opencode returns the opencode binary of $GROOVE_OPENCODE or PATH. Without one
// the test is skipped, and fails where CI=true.
func Opencode(t testing.TB) string {
	t.Helper()
	const fix = "run: GROOVE_OPENCODE=$(test/agents/install.sh ~/.cache/groove-ci/opencode | tail -n 1), or make test-agents"
	name := os.Getenv("GROOVE_OPENCODE")
	if name == "" {
		name = "opencode"
	}
	bin, err := exec.LookPath(name)
	switch {
	case err == nil:
		return bin
	case os.Getenv("CI") == "true" || os.Getenv("GROOVE_OPENCODE") != "":
		t.Fatalf("opencode is not installed: %v; %s", err, fix)
	}
	t.Skip("opencode is not installed; " + fix)
	return ""
}

// OpencodeEnv writes a home for opencode that knows one model, that of the
// model server at modelURL, and returns the environment that points opencode at it. Sessions
// are kept in that home: the same environment loads them again.
func OpencodeEnv(t testing.TB, modelURL string) []string {
	t.Helper()
	home := t.TempDir()
	config, err := json.MarshalIndent(map[string]any{
		"model":       "local/" + modelserver.Model,
		"small_model": "local/" + modelserver.Model,
		"autoupdate":  false,
		"share":       "disabled",
		"provider": map[string]any{"local": map[string]any{
			"npm":     "@ai-sdk/openai-compatible",
			"name":    "the model server of the tests",
			"options": map[string]any{"baseURL": modelURL + "/v1", "apiKey": "none"},
			"models":  map[string]any{modelserver.Model: map[string]any{"name": modelserver.Model, "tool_call": true}},
		}},
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(home, "opencode.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{
		"HOME=" + home,
		"XDG_CONFIG_HOME=" + filepath.Join(home, ".config"),
		"XDG_DATA_HOME=" + filepath.Join(home, ".local", "share"),
		"XDG_STATE_HOME=" + filepath.Join(home, ".local", "state"),
		"XDG_CACHE_HOME=" + filepath.Join(home, ".cache"),
		"OPENCODE_CONFIG=" + file,
		// Nothing is fetched: tests run where there is no network.
		"OPENCODE_DISABLE_AUTOUPDATE=1",
		"OPENCODE_DISABLE_MODELS_FETCH=1",
		"OPENCODE_DISABLE_LSP_DOWNLOAD=1",
	}
}

// OpencodeTool is how opencode's model sees a tool of groove's MCP server.
func OpencodeTool(name string) string { return "groove_" + name }
