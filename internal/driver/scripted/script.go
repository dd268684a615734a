package scripted

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"text/template"
	"time"

	"go.yaml.in/yaml/v3"
)

// Script is what the program plays:
//
//	load: false              # default true: announce session/load
//	mcp_http: false          # default true: announce MCP over HTTP
//	ignore_stdin_eof: true   # live on when stdin ends
//	ignore_term: true        # live on after SIGTERM, and so does what it forks
//	ignore_cancel: true      # play on when cancelled
//	queue: true              # play a second prompt after the first, instead of refusing it
//	die_at: initialize       # or start, new: exit 3 there
//	rules:
//	  - on: "^propose (.*)"  # regexp
//	    for_each: message    # match and play for each groove message of the prompt
//	    do:
//	      - tool: {name: groove_send, args: {to: "{{.From}}", text: "{{.Submatch 1}}", reply_to: "{{.ID}}"}}
//	default:                 # a rule without on, or only its steps
//	  - say: "nothing to do in turn {{.Turn}}"
//
// Each message of a prompt plays the first for_each rule that matches its
// text, else the default if that is for_each. If none of them played anything, the first rule
// without for_each that matches the whole prompt does, else the default.
//
// All texts are templates over Data. What a peer wrote is data, never a template.
type Script struct {
	Load           bool   `yaml:"load"`
	MCPHTTP        bool   `yaml:"mcp_http"`
	IgnoreStdinEOF bool   `yaml:"ignore_stdin_eof"`
	IgnoreTerm     bool   `yaml:"ignore_term"`
	IgnoreCancel   bool   `yaml:"ignore_cancel"`
	Queue          bool   `yaml:"queue"`
	DieAt          string `yaml:"die_at"`
	Rules          []Rule `yaml:"rules"`
	Default        *Rule  `yaml:"default"`
}

// Rule plays its steps for a prompt, or for each message of it.
type Rule struct {
	On      Pattern `yaml:"on"`
	ForEach string  `yaml:"for_each"` // "" or message
	Do      []Step  `yaml:"do"`
}

// Step is one thing to do; exactly one member is set.
type Step struct {
	Say   *Text    `yaml:"say"`   // a message chunk
	Tool  *Tool    `yaml:"tool"`  // call a tool; its text is {{.Result}} afterwards
	Sleep Duration `yaml:"sleep"` // 200ms
	Fail  *Text    `yaml:"fail"`  // end the turn with this error
	Exit  *int     `yaml:"exit"`  // end the program with this code
	Flood *Flood   `yaml:"flood"` // many chunks
	Hang  bool     `yaml:"hang"`  // until cancelled
	Ask   *Ask     `yaml:"ask"`   // request permission and say the outcome
	Usage *Usage   `yaml:"usage"` // report what the turn takes: {input: 900, context_used: 4000}
	Write *Write   `yaml:"write"` // write a file and say how that went
	Run   *Text    `yaml:"run"`   // run a shell command and say its output
	Fork  bool     `yaml:"fork"`  // leave a double-forked process behind and say its pid
}

// Write is a file that is written without asking, in folders that are made for it.
type Write struct {
	Path *Text `yaml:"path"` // counts from the session's directory
	Text Text  `yaml:"text"`
}

// Tool names a tool of groove's MCP server; strings in args, at any depth, are templates.
type Tool struct {
	Name string         `yaml:"name"`
	Args map[string]any `yaml:"args"`
}

// Flood says Bytes bytes of text, Chunk at a time.
type Flood struct {
	Bytes int64 `yaml:"bytes"`
	Chunk int   `yaml:"chunk"`
}

// Ask is a permission request.
type Ask struct {
	Title   Text   `yaml:"title"`
	Kind    string `yaml:"kind"`    // ACP tool kind: edit, execute, …
	Path    Text   `yaml:"path"`    // that it is about; several between spaces
	Command Text   `yaml:"command"` // of execute
	Tool    string `yaml:"tool"`    // the tool's own name
	Call    string `yaml:"call"`    // the tool call's ID; "" is a new one
	Raw     string `yaml:"raw"`     // JSON to send in place of all that
	Also    *Ask   `yaml:"also"`    // a request at the same time
}

// Text is a template.
type Text struct{ *template.Template }

// Pattern is a regexp in Go's syntax; the zero Pattern matches everything.
type Pattern struct{ *regexp.Regexp }

// Duration is written as 200ms, 2s, 1m.
type Duration time.Duration

// ReadScript reads and checks a script.
func ReadScript(file string) (*Script, error) {
	if file == "" {
		return nil, errors.New("--script FILE is needed")
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	s, err := ParseScript(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

// ParseScript checks a script; unknown members and steps are refused.
func ParseScript(b []byte) (*Script, error) {
	s := &Script{Load: true, MCPHTTP: true}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(s); err != nil {
		return nil, err
	}
	switch s.DieAt {
	case "", "start", "initialize", "new":
	default:
		return nil, fmt.Errorf("die_at: %q is not start, initialize or new", s.DieAt)
	}
	if s.Default == nil {
		s.Default = &Rule{}
	}
	for i, r := range append(s.Rules, *s.Default) {
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("rule %d: %w", i+1, err)
		}
	}
	return s, nil
}

func (r Rule) check() error {
	if r.ForEach != "" && r.ForEach != "message" {
		return fmt.Errorf("for_each: %q is not message", r.ForEach)
	}
	for i, step := range r.Do {
		if n := step.count(); n != 1 {
			return fmt.Errorf("step %d does %d things, not one", i+1, n)
		}
		if step.Tool != nil && step.Tool.Name == "" {
			return fmt.Errorf("step %d: the tool has no name", i+1)
		}
		if step.Write != nil && step.Write.Path == nil {
			return fmt.Errorf("step %d: a write has a path", i+1)
		}
		if step.Tool != nil {
			if err := checkArgs(step.Tool.Args); err != nil {
				return fmt.Errorf("step %d: %w", i+1, err)
			}
		}
		if step.Flood != nil && (step.Flood.Chunk <= 0 || step.Flood.Bytes <= 0) {
			return fmt.Errorf("step %d: a flood has bytes and chunk", i+1)
		}
	}
	return nil
}

// checkArgs parses the templates of every string in v.
func checkArgs(v any) error {
	switch v := v.(type) {
	case string:
		_, err := parseText(v)
		return err
	case []any:
		for _, e := range v {
			if err := checkArgs(e); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, e := range v {
			if err := checkArgs(e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s Step) count() int {
	n := 0
	for _, set := range []bool{s.Say != nil, s.Tool != nil, s.Sleep != 0, s.Fail != nil, s.Exit != nil,
		s.Flood != nil, s.Hang, s.Ask != nil, s.Write != nil, s.Run != nil, s.Fork, s.Usage != nil} {
		if set {
			n++
		}
	}
	return n
}

// UnmarshalYAML reads a rule, or only its steps.
func (r *Rule) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.SequenceNode {
		return n.Decode(&r.Do)
	}
	type plain Rule
	for i := 0; i+1 < len(n.Content); i += 2 { // a decoder of a node knows no KnownFields
		switch n.Content[i].Value {
		case "on", "for_each", "do":
		default:
			return fmt.Errorf("line %d: a rule has no member %q", n.Content[i].Line, n.Content[i].Value)
		}
	}
	return n.Decode((*plain)(r))
}

// UnmarshalYAML reads a template.
func (t *Text) UnmarshalYAML(n *yaml.Node) error {
	parsed, err := parseText(n.Value)
	t.Template = parsed
	return err
}

func parseText(s string) (*template.Template, error) {
	return template.New("text").Option("missingkey=error").Parse(s)
}

// UnmarshalYAML reads a regexp.
func (p *Pattern) UnmarshalYAML(n *yaml.Node) error {
	re, err := regexp.Compile(n.Value)
	p.Regexp = re
	return err
}

// UnmarshalYAML reads a duration.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.ParseDuration(n.Value)
	*d = Duration(v)
	return err
}
