package modelserver

import "encoding/json"

// responses is OpenAI's newer dialect, which Codex speaks. Its tools may stand in
// namespaces, and a call names both.
var responses = dialect{"responses", readResponses, (*answer).responsesWhole, (*answer).responsesStream, openaiFault}

type responsesTool struct {
	Type  string          `json:"type"`
	Name  string          `json:"name"`
	Tools []responsesTool `json:"tools"`
}

func readResponses(body []byte) (conversation, error) {
	var r struct {
		Stream bool            `json:"stream"`
		Input  json.RawMessage `json:"input"`
		Tools  []responsesTool `json:"tools"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return conversation{}, err
	}
	c := conversation{stream: r.Stream, turns: items(r.Input)}
	for _, t := range r.Tools {
		if t.Type != "namespace" {
			c.tools = append(c.tools, tool{name: t.Name, free: t.Type == "custom"})
			continue
		}
		for _, inner := range t.Tools {
			c.tools = append(c.tools, tool{space: t.Name, name: inner.Name})
		}
	}
	return c, nil
}

// items are the turns of an input, which is a user's text or a list of items.
func items(input json.RawMessage) (turns []turn) {
	var text string
	if json.Unmarshal(input, &text) == nil {
		return []turn{{"user", text}}
	}
	var list []struct {
		Type    string `json:"type"`
		Role    string `json:"role"`
		Content texts  `json:"content"`
		Output  texts  `json:"output"`
	}
	if json.Unmarshal(input, &list) != nil {
		return nil
	}
	for _, i := range list {
		switch i.Type {
		case "function_call_output", "custom_tool_call_output":
			turns = append(turns, turn{"tool", string(i.Output)})
		case "message", "":
			turns = append(turns, turn{i.Role, string(i.Content)})
		}
	}
	return turns
}

func (a *answer) response(status string, output []any) object {
	r := object{"id": a.name("resp"), "object": "response", "status": status, "model": Model, "output": output}
	if status == "completed" {
		r["usage"] = object{"input_tokens": input(), "input_tokens_details": object{"cached_tokens": Tokens.Read},
			"output_tokens": Tokens.Output, "output_tokens_details": object{"reasoning_tokens": Tokens.Reasoning},
			"total_tokens": input() + Tokens.Output}
	}
	return r
}

func (a *answer) functionCall(act action) object {
	item := object{"type": "function_call", "id": a.name("fc"), "call_id": a.name("call"), "status": "completed",
		"name": act.tool.name, "arguments": act.text}
	if act.tool.free {
		item = object{"type": "custom_tool_call", "id": a.name("ctc"), "call_id": a.name("call"), "status": "completed",
			"name": act.tool.name, "input": act.text}
	}
	if act.tool.space != "" {
		item["namespace"] = act.tool.space
	}
	return item
}

func (a *answer) outputMessage(status string, content ...any) object {
	return object{"type": "message", "id": a.name("m"), "role": "assistant", "status": status, "content": append([]any{}, content...)}
}

func (a *answer) responsesWhole(act action) {
	item := a.functionCall(act)
	if act.kind != "tool" {
		item = a.outputMessage("completed", outputText(a.text(act)))
	}
	a.json(a.response("completed", []any{item}))
}

func (a *answer) responsesStream(act action) {
	a.typed(object{"type": "response.created", "response": a.response("in_progress", []any{})})
	item := a.functionCall(act)
	if act.kind == "tool" {
		a.typed(object{"type": "response.output_item.added", "output_index": 0, "item": item})
	} else {
		item = a.spoken(act)
	}
	a.typed(object{"type": "response.output_item.done", "output_index": 0, "item": item})
	a.typed(object{"type": "response.completed", "response": a.response("completed", []any{item})})
}

// spoken streams a text and returns the item that it became.
func (a *answer) spoken(act action) object {
	a.typed(object{"type": "response.output_item.added", "output_index": 0, "item": a.outputMessage("in_progress")})
	all := ""
	a.words(act, func(word string) {
		all += word
		a.typed(object{"type": "response.output_text.delta", "item_id": a.name("m"), "output_index": 0, "content_index": 0, "delta": word})
	})
	return a.outputMessage("completed", outputText(all))
}

func outputText(text string) object {
	return object{"type": "output_text", "text": text, "annotations": []any{}}
}
