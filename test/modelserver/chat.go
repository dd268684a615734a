package modelserver

import (
	"encoding/json"
	"fmt"
)

// chat is OpenAI's chat completions, which most programs speak to servers that are
// nobody's in particular.
var chat = dialect{"chat", readChat, (*answer).chatWhole, (*answer).chatStream, openaiFault}

func openaiFault(int) object { return object{"error": object{"message": "scripted"}} }

func readChat(body []byte) (conversation, error) {
	var r struct {
		Stream   bool `json:"stream"`
		Messages []struct {
			Role    string `json:"role"`
			Content texts  `json:"content"`
		} `json:"messages"`
		Tools []struct {
			Function struct {
				Name string `json:"name"`
			} `json:"function"`
		} `json:"tools"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return conversation{}, err
	}
	c := conversation{stream: r.Stream}
	for _, m := range r.Messages {
		c.turns = append(c.turns, turn{m.Role, string(m.Content)})
	}
	for _, t := range r.Tools {
		c.tools = append(c.tools, tool{name: t.Function.Name})
	}
	return c, nil
}

func chatUsage() object {
	return object{"prompt_tokens": input(), "completion_tokens": Tokens.Output, "total_tokens": input() + Tokens.Output,
		"prompt_tokens_details":     object{"cached_tokens": Tokens.Read},
		"completion_tokens_details": object{"reasoning_tokens": Tokens.Reasoning}}
}

func (a *answer) chatCall(act action) object {
	return object{"index": 0, "id": a.name("call"), "type": "function",
		"function": object{"name": act.tool.name, "arguments": act.text}}
}

func (a *answer) chatWhole(act action) {
	finish, m := "stop", object{"role": "assistant"}
	if act.kind == "tool" {
		finish, m["tool_calls"] = "tool_calls", []any{a.chatCall(act)}
	} else {
		m["content"] = a.text(act)
	}
	a.json(object{"id": a.name("chatcmpl"), "object": "chat.completion", "created": 0, "model": Model,
		"choices": []any{object{"index": 0, "message": m, "finish_reason": finish}}, "usage": chatUsage()})
}

func (a *answer) chatStream(act action) {
	a.chunk(object{"role": "assistant", "content": ""}, nil)
	if act.kind == "tool" {
		a.chunk(object{"tool_calls": []any{a.chatCall(act)}}, nil)
		a.chunk(object{}, "tool_calls")
	} else {
		a.words(act, func(word string) { a.chunk(object{"content": word}, nil) })
		a.chunk(object{}, "stop")
	}
	a.event("", object{"id": a.name("chatcmpl"), "object": "chat.completion.chunk", "created": 0, "model": Model,
		"choices": []any{}, "usage": chatUsage()})
	fmt.Fprint(a.w, "data: [DONE]\n\n") // a client that went away is seen at the next request
}

func (a *answer) chunk(delta object, finish any) {
	a.event("", object{"id": a.name("chatcmpl"), "object": "chat.completion.chunk", "created": 0, "model": Model,
		"choices": []any{object{"index": 0, "delta": delta, "finish_reason": finish}}})
}
