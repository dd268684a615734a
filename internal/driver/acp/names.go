package acp

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"groove/internal/driver/jsonrpc"
)

// names is what a tool call says of the tool and of what it is about. Programs say it in
// one place or another, and what is not of the expected form is passed over.
type names struct {
	Locations jsontext.Value `json:"locations"`
	Content   jsontext.Value `json:"content"`
	RawInput  jsontext.Value `json:"rawInput"`
	Meta      jsontext.Value `json:"_meta"`
}

// pathMembers are what programs call a file in a tool's input.
var pathMembers = []string{"path", "file_path", "filePath", "filepath", "abs_path", "notebook_path", "target_file", "old_path", "new_path", "source", "destination"}

func (n *names) read() (tool, command string, paths []string) {
	var meta map[string]jsontext.Value
	if loose(n.Meta, &meta) {
		tool = plainText(meta["toolName"])
	}
	var places []jsontext.Value
	if loose(n.Locations, &places) {
		for _, place := range places {
			paths = append(paths, member(place, "path"))
		}
	}
	var content []jsontext.Value
	if loose(n.Content, &content) {
		for _, part := range content {
			if member(part, "type") == "diff" {
				paths = append(paths, member(part, "path"))
			}
		}
	}
	var input map[string]jsontext.Value
	if loose(n.RawInput, &input) {
		command = plainText(input["command"])
		for _, name := range pathMembers {
			paths = append(paths, plainText(input[name]))
		}
	}
	return tool, command, once(paths)
}

func loose(raw jsontext.Value, to any) bool {
	return len(raw) > 0 && jsonrpc.Decode([]byte(raw), to) == nil
}

func member(raw jsontext.Value, name string) string {
	var all map[string]jsontext.Value
	if !loose(raw, &all) {
		return ""
	}
	return plainText(all[name])
}

// once drops what is empty or repeated.
func once(paths []string) (out []string) {
	for _, p := range paths {
		if p != "" && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}
