package programs

import "groove/internal/groove"

// Names of groove's own profiles.
const (
	Opencode    = "opencode"
	Claude      = "claude"
	Codex       = "codex"
	CodexNative = "codex-native"
	Gemini      = "gemini"
	Qwen        = "qwen"
	Scripted    = "scripted"
)

// builtin is the table of groove's own profiles. What is odd has its reason; what is
// absent is the rule: hold a message for a busy agent, load its session again, offer the
// tools over HTTP. docs/programs.md shows it to users, and a test holds the two together.
var builtin = map[string]Profile{
	Opencode: {
		Argv: []string{"opencode", "acp"}, Package: "opencode-ai", Version: []string{"opencode", "--version"},
		Install: "npm install -g opencode-ai@1.18.33", Login: "opencode auth login",
		// Its modes say what it may do, none says that it asks. The environment lies over the
		// user's own settings.
		SafeEnv: []string{`OPENCODE_PERMISSION={"edit":"ask","bash":"ask","webfetch":"ask","external_directory":"ask"}`},
		Tool:    "groove_{tool}", Reopen: []string{"opencode", "--session", "{session}"},
		State: []string{"$XDG_CONFIG_HOME/opencode", "$XDG_DATA_HOME/opencode", "$XDG_STATE_HOME/opencode", "$XDG_CACHE_HOME/opencode"},
	},
	Claude: {
		Argv: []string{"claude-agent-acp"}, Package: "@agentclientprotocol/claude-agent-acp", Version: []string{"claude-agent-acp", "--version"},
		Install: "npm install -g @agentclientprotocol/claude-agent-acp@0.101.0", Login: "claude /login", InstallCLI: "npm install -g @anthropic-ai/claude-code",
		// The adapter starts the Claude Code of this package; a claude on PATH is for its user's own terminal.
		Needs: []string{"npm:@anthropic-ai/claude-agent-sdk"}, MinNode: "22",
		SafeMode: "default", // its own choice is auto: the model decides what is asked
		Tool:     "mcp__groove__{tool}", Reopen: []string{"claude", "--resume", "{session}"},
		State: []string{"~/.claude", "~/.claude.json", "$CLAUDE_CONFIG_DIR", "$XDG_CACHE_HOME/claude-cli-nodejs"},
	},
	Codex: {
		Argv: []string{"codex-acp"}, Package: "@agentclientprotocol/codex-acp", Version: []string{"codex-acp", "--version"},
		Install: "npm install -g @agentclientprotocol/codex-acp@2.6.0", Login: "codex login", InstallCLI: "npm install -g @openai/codex",
		Needs: []string{"npm:@openai/codex"}, MinNode: "22", // its app server is the codex of this package
		SafeMode: "read-only", // its own choice, agent, asks only for what it takes to be dangerous
		// With its stdin closed it lives on for more than 5 s: no grace is given to that.
		Lingers: Yes, Tool: "mcp__groove__{tool}", Reopen: []string{"codex", "resume", "{session}"},
		State: []string{"~/.codex", "$CODEX_HOME"},
	},
	CodexNative: {
		// Its command has the name of the other adapter's: the package tells them apart.
		Argv: []string{"codex-acp"}, Package: "@zed-industries/codex-acp",
		Install: "npm install -g @zed-industries/codex-acp@0.16.0", Login: "codex login", InstallCLI: "npm install -g @openai/codex",
		SafeMode: "read-only",
		Lingers:  Yes, Tool: "mcp__groove__{tool}", Reopen: []string{"codex", "resume", "{session}"},
		State: []string{"~/.codex", "$CODEX_HOME"},
	},
	Gemini: {
		Argv: []string{"gemini", "--acp"}, Package: "@google/gemini-cli", Version: []string{"gemini", "--version"},
		Install: "npm install -g @google/gemini-cli@0.61.0", Login: "gemini",
		MinNode: "20", MinVersion: "0.50.0", // before, the flag was another one
		SafeMode: "default",
		Resume:   groove.ResumeNew,               // after a kill, session/load failed in 3 of 3 tries
		Lingers:  Yes, Tool: "mcp_groove_{tool}", // no Reopen: its --resume takes a place in a list, not an ID
		State: []string{"~/.gemini"},
		// Where a folder is not trusted it says nothing and shows its model no MCP server.
		TestEnv:   []string{"GEMINI_CLI_TRUST_WORKSPACE=true"},
		ToolsHint: "trust the folder: run gemini in it once and say yes",
	},
	Qwen: {
		Argv: []string{"qwen", "--acp"}, Package: "@qwen-code/qwen-code", Version: []string{"qwen", "--version"},
		Install: "npm install -g @qwen-code/qwen-code@0.24.4", Login: "qwen", MinNode: "22",
		SafeMode: "default", // its own choice is auto
		Tool:     "mcp__groove__{tool}", Reopen: []string{"qwen", "--resume", "{session}"},
		State: []string{"~/.qwen"}, ToolsHint: "trust the folder: run qwen in it once and say yes",
	},
	// Whoever starts it adds the script: --script FILE.
	Scripted: {Argv: []string{"scripted"}, Self: true, Asks: Yes, State: []string{"$GROOVE_SCRIPTED_DIR"}},
}
