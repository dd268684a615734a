package acp

import (
	"encoding/json"
	"slices"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
	"groove/internal/driver/jsonrpc"
	"groove/internal/groove"
)

// What is kept of tool calls is bounded: they are a program's words.
const (
	mostCalls     = 1000     // of one turn
	mostLocations = 200      // of one call
	mostTitle     = 4 << 10  // bytes
	mostCommand   = 64 << 10 // bytes
)

// calls keeps what updates told of the running turn's tool calls: permission requests
// refer to them, and some say nothing else.
type calls struct {
	dir string // where the program works

	mu      sync.Mutex
	program string // who it says that it is
	byID    map[string]toolCall
}

// toolCall is what a program told of one.
type toolCall struct {
	ID        string
	Title     string
	Kind      string
	Tool      string // the tool's own name
	Server    string // of an MCP tool, where the program tells it
	Command   string
	Locations []string
}

// speaks says who the program is.
func (c *calls) speaks(program string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.program = program
}

// note keeps a tool call; an update adds to what was said of it, or else replaces it: an
// ID that is used again is another call.
func (c *calls) note(call json.RawMessage, update bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	told := decodeCall(jsontext.Value(call), c.program)
	if told.ID == "" {
		return
	}
	if c.byID == nil {
		c.byID = map[string]toolCall{}
	}
	known, ok := c.byID[told.ID]
	if !ok && len(c.byID) >= mostCalls {
		return
	}
	if update {
		told = told.or(known)
	}
	c.byID[told.ID] = told
}

// forget drops them all, at a turn's end.
func (c *calls) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byID = nil
}

// or is the call with what it does not tell taken from an earlier word on it.
func (c toolCall) or(earlier toolCall) toolCall {
	for _, f := range []struct{ into, from *string }{{&c.Title, &earlier.Title}, {&c.Kind, &earlier.Kind},
		{&c.Tool, &earlier.Tool}, {&c.Server, &earlier.Server}, {&c.Command, &earlier.Command}} {
		if *f.into == "" {
			*f.into = *f.from
		}
	}
	c.Locations = union(c.Locations, earlier.Locations)
	return c
}

// asked reads the parameters of session/request_permission, with what was told of the
// tool call before. It fails when they are no request that can be answered.
func (c *calls) asked(params json.RawMessage) (groove.PermissionAsk, error) {
	var p struct {
		ToolCall jsontext.Value `json:"toolCall"`
		Options  []struct {
			ID   string `json:"optionId"`
			Name string `json:"name"`
			Kind string `json:"kind"`
		} `json:"options"`
	}
	if err := jsonrpc.Decode(params, &p); err != nil {
		return groove.PermissionAsk{}, err
	}
	c.mu.Lock()
	call := decodeCall(p.ToolCall, c.program)
	call = call.or(c.byID[call.ID])
	call.settle(c.dir, c.program)
	c.mu.Unlock()
	q := groove.PermissionAsk{ToolCall: call.ID, Title: call.Title, Kind: call.Kind, Tool: call.Tool,
		Command: call.Command, Locations: call.Locations, Raw: params}
	for _, o := range p.Options {
		q.Options = append(q.Options, groove.PermissionOption(o))
	}
	return q, nil
}

// settle says in groove's terms what is known of a call that is asked about.
func (c *toolCall) settle(dir, program string) {
	c.Tool = c.name(program)
	if c.Kind != "execute" {
		return
	}
	if c.Command == "" && program == geminiName {
		c.Command = c.Title // which begins with the command line
	}
	// A command runs in the directory; that names nothing which it touches.
	c.Locations = slices.DeleteFunc(slices.Clone(c.Locations), func(l string) bool { return l == dir })
}
