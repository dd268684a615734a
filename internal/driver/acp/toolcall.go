package acp

import (
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"groove/internal/driver/jsonrpc"
)

// The names by which programs whose words need a key of their own say who they are.
const (
	codexName       = "@agentclientprotocol/codex-acp"
	codexNativeName = "codex-acp"
	geminiName      = "gemini-cli"
)

// decodeCall reads the tool call of an update or of a permission request. A member
// that is not as it should be counts as absent: the rest is still worth showing. The program
// decides whose word rawInput is: what the model wrote is believed in nothing that could
// spare the user a question.
func decodeCall(raw jsontext.Value, program string) toolCall {
	var m struct {
		ID        jsontext.Value `json:"toolCallId"`
		Title     jsontext.Value `json:"title"`
		Kind      jsontext.Value `json:"kind"`
		Name      jsontext.Value `json:"name"`
		Input     jsontext.Value `json:"rawInput"`
		Locations jsontext.Value `json:"locations"`
		Content   jsontext.Value `json:"content"`
		Meta      jsontext.Value `json:"_meta"`
	}
	if len(raw) == 0 || jsonrpc.Decode([]byte(raw), &m) != nil {
		return toolCall{}
	}
	c := toolCall{ID: plainText(m.ID), Title: cut(plainText(m.Title), mostTitle), Kind: plainText(m.Kind), Tool: plainText(m.Name)}
	c.readMeta(m.Meta)
	c.readInput(m.Input)
	if program == codexName || program == codexNativeName {
		c.readWrapped(m.Input)
	}
	for _, list := range []jsontext.Value{m.Locations, m.Content} { // a diff names its file as a location does
		var places []struct {
			Path string `json:"path"`
		}
		if len(list) > 0 && jsonrpc.Decode([]byte(list), &places) == nil {
			for _, p := range places {
				c.Locations = union(c.Locations, []string{p.Path})
			}
		}
	}
	return c
}

// readMeta reads Qwen Code's and Claude Code's own words on a tool.
func (c *toolCall) readMeta(raw jsontext.Value) {
	var m struct {
		Tool   string `json:"toolName"`
		Claude struct {
			Tool   string `json:"toolName"`
			Server struct {
				Name string `json:"name"`
			} `json:"mcpServer"`
		} `json:"claudeCode"`
	}
	if len(raw) == 0 || jsonrpc.Decode([]byte(raw), &m) != nil {
		return
	}
	if m.Tool != "" {
		c.Tool = m.Tool
	}
	if m.Claude.Tool != "" {
		c.Tool, c.Server = m.Claude.Tool, m.Claude.Server.Name
	}
}

// Members of tools' inputs that name what a call touches. Tools of several vendors
// say it in several ways.
var (
	commandKeys = []string{"command", "cmd"}
	pathKeys    = []string{"file_path", "filePath", "filepath", "path", "absolute_path", "abs_path", "notebook_path", "dir_path", "directory"}
)

// readInput reads what a tool is called with, as far as its terms are known.
func (c *toolCall) readInput(raw jsontext.Value) {
	var in map[string]jsontext.Value
	if len(raw) == 0 || jsonrpc.Decode([]byte(raw), &in) != nil {
		return
	}
	for _, k := range commandKeys {
		if c.Command == "" {
			c.Command = cut(commandOf(in[k]), mostCommand)
		}
	}
	for _, k := range pathKeys {
		c.Locations = union(c.Locations, []string{plainText(in[k])})
	}
	var changes map[string]jsontext.Value // Codex: file to change
	if v := in["changes"]; len(v) > 0 && jsonrpc.Decode([]byte(v), &changes) == nil {
		c.Locations = union(c.Locations, slices.Sorted(maps.Keys(changes)))
	}
}

// readWrapped reads the call of an MCP tool in Codex's own wrapping.
func (c *toolCall) readWrapped(raw jsontext.Value) {
	var in struct {
		Server string `json:"server"`
		Tool   string `json:"tool"`
	}
	if len(raw) > 0 && jsonrpc.Decode([]byte(raw), &in) == nil && in.Server != "" && in.Tool != "" {
		c.Server, c.Tool = in.Server, in.Tool
	}
}

// commandOf is a command line: a string, or words. Of `bash -lc LINE` it is LINE.
func commandOf(raw jsontext.Value) string {
	var words []string
	if len(raw) == 0 || jsonrpc.Decode([]byte(raw), &words) != nil {
		return plainText(raw)
	}
	if len(words) == 3 && strings.HasPrefix(words[1], "-") && strings.HasSuffix(words[1], "c") {
		return words[2]
	}
	return strings.Join(words, " ")
}

// union adds to a list what it does not have, up to mostLocations.
func union(list, more []string) []string {
	for _, s := range more {
		if s != "" && len(list) < mostLocations && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

func cut(s string, most int) string {
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(s, "")
}
