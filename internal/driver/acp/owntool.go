package acp

import "strings"

// serverName is how groove's own MCP server is called towards programs.
const serverName = "groove"

// name is the tool's name as groove shows and rules it: of an MCP tool
// mcp__SERVER__TOOL, as Claude Code has it.
func (c toolCall) name(program string) string {
	switch {
	case c.Tool == "" && program == geminiName:
		return geminiTool(c.ID, c.Title)
	case c.Server != "" && !strings.HasPrefix(c.Tool, "mcp__"):
		return "mcp__" + c.Server + "__" + c.Tool
	}
	return c.Tool
}

// geminiTool is the name that Gemini CLI tells only at the front of a call's ID.
func geminiTool(id, title string) string {
	tool, _, ok := strings.Cut(id, "__")
	if !ok {
		return ""
	}
	const own = "mcp_" + serverName + "_"
	if strings.HasPrefix(tool, own) && strings.HasSuffix(title, "("+serverName+" MCP Server)") {
		return "mcp__" + serverName + "__" + strings.TrimPrefix(tool, own)
	}
	return tool
}
