package agents

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"groove/test/modelserver"
)

// homeEnv is an environment in which nothing of the user's is found.
func homeEnv(home string) []string {
	return []string{
		"HOME=" + home,
		"XDG_CONFIG_HOME=" + filepath.Join(home, ".config"),
		"XDG_DATA_HOME=" + filepath.Join(home, ".local", "share"),
		"XDG_STATE_HOME=" + filepath.Join(home, ".local", "state"),
		"XDG_CACHE_HOME=" + filepath.Join(home, ".cache"),
	}
}

type object = map[string]any

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // of our own literals
	}
	return string(b)
}

func toolCall(name string, args object) string {
	return "[[tool:" + name + " " + toJSON(args) + "]]"
}

// Opencode asks before edits and commands by OPENCODE_PERMISSION alone.
var Opencode = Program{
	Name: "opencode", Var: "GROOVE_OPENCODE", Bin: "opencode", Args: []string{"acp"}, Loads: true,
	// What reads is allowed, and groove's own tools; all else asks, other MCP servers' tools too.
	Safe: []string{`OPENCODE_PERMISSION={"*":"ask","read":{"*":"allow","*.env":"ask","*.env.*":"ask","*.env.example":"allow"},` +
		`"glob":"allow","grep":"allow","list":"allow","lsp":"allow","todowrite":"allow","todoread":"allow","skill":"allow","task":"allow","groove_*":"allow"}`},
	Model: "local/other", Asked: "other",
	Env: func(t testing.TB, url, _ string) []string {
		home := t.TempDir()
		file := filepath.Join(home, "opencode.json")
		model := object{"name": "a model", "tool_call": true, "cost": object{"input": 1, "output": 2},
			"limit": object{"context": 128000, "output": 8000}}
		write(t, file, toJSON(object{
			"model": "local/" + modelserver.Model, "small_model": "local/" + modelserver.Model,
			"autoupdate": false, "share": "disabled",
			"provider": object{"local": object{
				"npm": "@ai-sdk/openai-compatible", "name": "the model server of the tests",
				"options": object{"baseURL": url + "/v1", "apiKey": "none"},
				"models":  object{modelserver.Model: model, "other": model},
			}},
		}))
		return append(homeEnv(home), "OPENCODE_CONFIG="+file,
			// Nothing is fetched: tests run where there is no network.
			"OPENCODE_DISABLE_AUTOUPDATE=1", "OPENCODE_DISABLE_MODELS_FETCH=1", "OPENCODE_DISABLE_LSP_DOWNLOAD=1")
	},
	Send: send,
	Write: func(file, text string) string {
		return toolCall("write", object{"filePath": file, "content": text})
	},
	Run: func(command string) string {
		return toolCall("bash", object{"command": command, "description": "a command"})
	},
}

// Claude is Claude Code behind its adapter.
var Claude = Program{
	Name: "claude", Var: "GROOVE_CLAUDE", Bin: "claude-agent-acp", Mode: "default", Loads: true,
	Model: "haiku", Asked: "haiku",
	Env: func(t testing.TB, url, _ string) []string {
		home := t.TempDir()
		// As root it opens no session otherwise.
		write(t, filepath.Join(home, ".claude", "settings.json"), toJSON(object{
			"permissions": object{"disableBypassPermissionsMode": "disable"}}))
		return append(homeEnv(home), "ANTHROPIC_BASE_URL="+url, "ANTHROPIC_API_KEY=none",
			"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1", "DISABLE_AUTOUPDATER=1")
	},
	Send: send,
	Write: func(file, text string) string {
		return toolCall("Write", object{"file_path": file, "content": text})
	},
	Run: func(command string) string {
		return toolCall("Bash", object{"command": command, "description": "a command"})
	},
}

// codexHome writes the configuration that both adapters of Codex read.
func codexHome(t testing.TB, url, _ string) []string {
	home := t.TempDir()
	write(t, filepath.Join(home, ".codex", "config.toml"), `model = "`+modelserver.Model+`"
model_provider = "local"

[model_providers.local]
name = "the model server of the tests"
base_url = "`+url+`/v1"
wire_api = "responses"
env_key = "LOCAL_KEY"
`)
	return append(homeEnv(home), "LOCAL_KEY=none", "CODEX_HOME="+filepath.Join(home, ".codex"))
}

// Codex is Codex behind the adapter that starts its app server.
var Codex = Program{
	Name: "codex", Var: "GROOVE_CODEX", Bin: "codex-acp", Mode: "read-only", Loads: true, Env: codexHome,
	Model: "gpt-5.5", Asked: "gpt-5.5",
	Send: send,
	Write: func(file, text string) string {
		return toolCall("exec_command", object{"cmd": "echo " + text + " > " + file, "sandbox_permissions": "require_escalated", "justification": "to write it"})
	},
	Run: func(command string) string {
		return toolCall("exec_command", object{"cmd": command, "sandbox_permissions": "require_escalated", "justification": "to run it"})
	},
}

// CodexNative is Codex within its adapter, whose binary has the other adapter's name: it is
// not looked for on PATH.
var CodexNative = Program{
	Name: "codex-native", Var: "GROOVE_CODEX_NATIVE", Mode: "read-only", Loads: true, Env: codexHome,
	Model: "gpt-5.4", Asked: "gpt-5.4",
	Send: send, Write: Codex.Write, Run: Codex.Run,
}

// Gemini is Gemini CLI.
var Gemini = Program{
	Name: "gemini", Var: "GROOVE_GEMINI", Bin: "gemini", Args: []string{"--acp"}, Mode: "default",
	Env: func(t testing.TB, url, dir string) []string {
		home := t.TempDir()
		// It ignores MCP servers in folders that the user does not trust.
		write(t, filepath.Join(home, ".gemini", "trustedFolders.json"), toJSON(object{dir: "TRUST_FOLDER"}))
		write(t, filepath.Join(home, ".gemini", "settings.json"), toJSON(object{
			"security": object{"auth": object{"selectedType": "gemini-api-key"}},
			"privacy":  object{"usageStatisticsEnabled": false}, "general": object{"disableAutoUpdate": true}}))
		return append(homeEnv(home), "GEMINI_API_KEY=none", "GOOGLE_GEMINI_BASE_URL="+url,
			"GEMINI_MODEL="+modelserver.Model) // otherwise it asks a model which model to ask
	},
	Send: send,
	Write: func(file, text string) string {
		return toolCall("write_file", object{"file_path": file, "content": text})
	},
	Run: func(command string) string { return toolCall("run_shell_command", object{"command": command}) },
}

// Qwen is Qwen Code, which grew from Gemini CLI.
var Qwen = Program{
	Name: "qwen", Var: "GROOVE_QWEN", Bin: "qwen", Args: []string{"--acp"}, Mode: "default", Loads: true,
	Env: func(t testing.TB, url, dir string) []string {
		home := t.TempDir()
		write(t, filepath.Join(home, ".qwen", "trustedFolders.json"), toJSON(object{dir: "TRUST_FOLDER"}))
		write(t, filepath.Join(home, ".qwen", "settings.json"), toJSON(object{
			"security": object{"auth": object{"selectedType": "openai"}},
			"privacy":  object{"usageStatisticsEnabled": false}, "general": object{"disableAutoUpdate": true}}))
		return append(homeEnv(home), "OPENAI_API_KEY=none", "OPENAI_BASE_URL="+url+"/v1", "OPENAI_MODEL="+modelserver.Model)
	},
	// It hides MCP tools behind a search.
	Send: func(args map[string]any) string {
		return toolCall("tool_search", object{"query": "select:mcp__groove__groove_send"}) + " " +
			toolCall("tool_call", object{"name": "mcp__groove__groove_send", "arguments": args})
	},
	Write: Gemini.Write, Run: Gemini.Run,
}
