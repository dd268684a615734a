package modelserver

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// conversation is what a request of any dialect says, as far as it decides the answer.
type conversation struct {
	turns  []turn
	tools  []tool
	stream bool
}

// turn is one text of the conversation.
type turn struct {
	role string // user, assistant; tool for a tool's result
	text string
}

// tool is one that the program offers.
type tool struct {
	space string // the namespace that holds it, in the dialect that has them
	name  string
	free  bool // it takes text as it is, no JSON: in the same dialect
}

// action is one answer of the model.
type action struct {
	kind string // tool text slow status
	text string // text: the words; tool: the arguments
	tool tool
	n    int // slow: seconds; status: the code
}

// step is one directive: its kind and what stands behind the colon.
type step struct{ kind, value string }

var (
	directive = regexp.MustCompile(`(?s)\[\[(tool|text|slow|status|on):(.*?)\]\]`)
	order     = regexp.MustCompile(`(?s)^(.+?) => (tool|text|slow|status):(.*)$`)
	messageID = regexp.MustCompile(`<groove-message [^>]*\bid="([^"]+)"`)
)

// decide finds where the script stands.
func (c conversation) decide() action {
	at, steps := c.script()
	if steps == nil {
		return action{kind: "text", text: "ok"}
	}
	done, last := 0, ""
	for _, t := range c.turns[at+1:] {
		if t.role == "tool" {
			done, last = done+1, t.text
		}
	}
	if done >= len(steps) {
		return action{kind: "text", text: "DONE " + strings.TrimSpace(last)}
	}
	return c.action(steps[done])
}

// script is the newest user text with directives, or that a standing order is for.
func (c conversation) script() (at int, steps []step) {
	for at = len(c.turns) - 1; at >= 0; at-- {
		if c.turns[at].role != "user" {
			continue
		}
		if steps = stepsOf(c.turns[at].text); steps == nil {
			steps = c.ordered(at)
		}
		if steps != nil {
			return at, steps
		}
	}
	return 0, nil
}

// stepsOf are the directives of a text that are no standing orders.
func stepsOf(text string) (steps []step) {
	for _, found := range directive.FindAllStringSubmatch(text, -1) {
		if found[1] != "on" {
			steps = append(steps, step{found[1], strings.TrimSpace(found[2])})
		}
	}
	return steps
}

// ordered are the standing orders of an earlier text, the newest that has some, which
// the text is for.
func (c conversation) ordered(at int) (steps []step) {
	text := c.turns[at].text
	for i := at - 1; i >= 0 && steps == nil; i-- {
		if c.turns[i].role != "user" {
			continue
		}
		for _, found := range directive.FindAllStringSubmatch(c.turns[i].text, -1) {
			o := order.FindStringSubmatch(strings.TrimSpace(found[2]))
			if found[1] == "on" && o != nil && strings.Contains(text, o[1]) {
				steps = append(steps, step{o[2], withID(o[3], text)})
			}
		}
	}
	return steps
}

// withID names the message that the text shows, where the order asks for it.
func withID(value, text string) string {
	id := ""
	if found := messageID.FindAllStringSubmatch(text, -1); found != nil {
		id = found[len(found)-1][1]
	}
	return strings.TrimSpace(strings.ReplaceAll(value, "{{id}}", id))
}

func (c conversation) action(s step) action {
	switch s.kind {
	case "tool":
		return c.call(s.value)
	case "slow", "status":
		n, err := strconv.Atoi(s.value)
		if err != nil {
			return action{kind: "text", text: "NONUMBER " + s.value}
		}
		return action{kind: s.kind, n: n}
	}
	return action{kind: "text", text: s.value}
}

func (c conversation) call(value string) action {
	name, args, _ := strings.Cut(value, " ")
	if t, ok := c.offered(name); ok && (t.free || json.Valid([]byte(args))) {
		return action{kind: "tool", tool: t, text: args}
	}
	var names []string
	for _, t := range c.tools {
		names = append(names, t.name)
	}
	return action{kind: "text", text: fmt.Sprintf("NOTOOL %s with valid arguments among %s", name, strings.Join(names, " "))}
}

// offered finds the tool of that name, or else one whose name ends in it: programs put
// the MCP server's name before its tools' names.
func (c conversation) offered(name string) (tool, bool) {
	for _, fits := range []func(string) bool{
		func(n string) bool { return n == name },
		func(n string) bool { return strings.HasSuffix(n, "_"+name) },
	} {
		for _, t := range c.tools {
			if fits(t.name) {
				return t, true
			}
		}
	}
	return tool{}, false
}
