package agents_test

import (
	"context"
	"strings"
	"testing"

	"groove/internal/groove"
)

// TestRecord: a session's file reads as a conversation: what was sent, what was asked and
// answered, what it took, in the order in which it happened.
func TestRecord(t *testing.T) {
	p := newProgram()
	p.turn = func(ctx context.Context, s *session, text string, written func()) (groove.TurnResult, error) {
		written()
		s.l.Ask(ctx, groove.PermissionAsk{ToolCall: "c1", Title: "write\x1b[2J it", Kind: "edit", Locations: []string{"/p/a.go"},
			Options: []groove.PermissionOption{{ID: "17", Kind: "allow_once"}}})
		s.say("done")
		return groove.TurnResult{Stop: "end_turn", Used: &groove.Usage{Input: tokens(7)}}, nil
	}
	w := newWorld(t, t.TempDir(), p, nil)
	w.ask = func(context.Context, groove.AgentName, groove.PermissionAsk) string { return "17" }
	w.spawn("a", "")
	id := w.put("b", "a", "do it")[0]
	text, _ := w.readAll("a", 0, `"stop":"end_turn"`)
	lines := strings.Split(strings.TrimSpace(text), "\n")
	want := []string{
		`"turn":1,"prompt":{"ids":["` + id.String() + `"],"text":"Messages from other agents`,
		`"ask":{"toolCall":"c1","title":"write\u001b[2J it","kind":"edit","paths":["/p/a.go"]}`,
		`"answered":{"toolCall":"c1","option":"allow_once"}`,
		`"update":{"sessionUpdate":"agent_message_chunk"}`,
		`"turn":1,"used":{"inputTokens":7}`,
		`"turn":1,"stop":"end_turn"`,
	}
	if len(lines) != len(want) {
		t.Fatalf("%d lines: %s", len(lines), text)
	}
	for i := range want {
		if !strings.Contains(lines[i], want[i]) {
			t.Errorf("line %d is %s, want %s", i, lines[i], want[i])
		}
	}
}
