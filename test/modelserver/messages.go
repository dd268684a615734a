package modelserver

import (
	"encoding/json"
	"strings"
)

// messages is Anthropic's dialect. Tool results stand in it as blocks of user messages.
var messages = dialect{"messages", readMessages, (*answer).messagesWhole, (*answer).messagesStream, messagesFault}

func messagesFault(int) object {
	return object{"type": "error", "error": object{"type": "overloaded_error", "message": "scripted"}}
}

func readMessages(body []byte) (conversation, error) {
	var r struct {
		Stream   bool `json:"stream"`
		Messages []struct {
			Role    string          `json:"role"`
			Content json.RawMessage `json:"content"`
		} `json:"messages"`
		Tools []struct {
			Name string `json:"name"`
		} `json:"tools"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return conversation{}, err
	}
	c := conversation{stream: r.Stream}
	for _, m := range r.Messages {
		c.turns = append(c.turns, blocks(m.Role, m.Content)...)
	}
	for _, t := range r.Tools {
		c.tools = append(c.tools, tool{name: t.Name})
	}
	return c, nil
}

// blocks takes a message apart: each tool result is a turn of its own, and its texts,
// which stand behind them, are one.
func blocks(role string, content json.RawMessage) (turns []turn) {
	var parts []json.RawMessage
	if json.Unmarshal(content, &parts) != nil {
		parts = []json.RawMessage{content} // a string
	}
	var said []string
	for _, p := range parts {
		var block struct {
			Type string `json:"type"`
		}
		var text texts
		if json.Unmarshal(p, &text) != nil {
			continue
		}
		// A string has no type.
		if json.Unmarshal(p, &block) == nil && block.Type == "tool_result" {
			turns = append(turns, turn{"tool", string(text)})
		} else if text != "" {
			said = append(said, string(text))
		}
	}
	if said != nil {
		turns = append(turns, turn{role, strings.Join(said, "\n")})
	}
	return turns
}

func messagesUsage() object {
	return object{"input_tokens": Tokens.Fresh, "cache_read_input_tokens": Tokens.Read,
		"cache_creation_input_tokens": Tokens.Written, "output_tokens": Tokens.Output}
}

func (a *answer) message(content []any, stop any) object {
	return object{"id": a.name("msg"), "type": "message", "role": "assistant", "model": Model,
		"content": content, "stop_reason": stop, "stop_sequence": nil, "usage": messagesUsage()}
}

func (a *answer) toolUse(act action, input any) object {
	return object{"type": "tool_use", "id": a.name("toolu"), "name": act.tool.name, "input": input}
}

func (a *answer) messagesWhole(act action) {
	if act.kind == "tool" {
		a.json(a.message([]any{a.toolUse(act, json.RawMessage(act.text))}, "tool_use"))
		return
	}
	a.json(a.message([]any{object{"type": "text", "text": a.text(act)}}, "end_turn"))
}

func (a *answer) messagesStream(act action) {
	a.typed(object{"type": "message_start", "message": a.message([]any{}, nil)})
	stop := "end_turn"
	if act.kind == "tool" {
		stop = "tool_use"
		a.typed(object{"type": "content_block_start", "index": 0, "content_block": a.toolUse(act, object{})})
		a.delta(object{"type": "input_json_delta", "partial_json": act.text})
	} else {
		a.typed(object{"type": "content_block_start", "index": 0, "content_block": object{"type": "text", "text": ""}})
		a.words(act, func(word string) { a.delta(object{"type": "text_delta", "text": word}) })
	}
	a.typed(object{"type": "content_block_stop", "index": 0})
	a.typed(object{"type": "message_delta", "delta": object{"stop_reason": stop, "stop_sequence": nil},
		"usage": object{"output_tokens": Tokens.Output}})
	a.typed(object{"type": "message_stop"})
}

// typed writes an event whose name is its type.
func (a *answer) typed(v object) { a.event(v["type"].(string), v) }

func (a *answer) delta(d object) {
	a.typed(object{"type": "content_block_delta", "index": 0, "delta": d})
}
