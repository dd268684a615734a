package modelserver

import (
	"encoding/json"
	"net/http"
	"strings"
)

// gemini serves POST /v1beta/models/MODEL:METHOD: Gemini's dialect has the method in
// the path, and streams by method.
func (s *server) gemini(w http.ResponseWriter, r *http.Request) {
	_, method, _ := strings.Cut(r.PathValue("call"), ":")
	switch method {
	case "countTokens":
		s.count("totalTokens")(w, r)
	case "generateContent", "streamGenerateContent":
		s.serve(dialect{"gemini", func(body []byte) (conversation, error) {
			c, err := readGemini(body)
			c.stream = method == "streamGenerateContent"
			return c, err
		}, (*answer).geminiWhole, (*answer).geminiStream, geminiFault})(w, r)
	default:
		http.NotFound(w, r)
	}
}

func geminiFault(status int) object {
	return object{"error": object{"code": status, "message": "scripted", "status": "UNAVAILABLE"}}
}

type geminiPart struct {
	Text     string `json:"text"`
	Response *struct {
		Response map[string]any `json:"response"`
	} `json:"functionResponse"`
}

func readGemini(body []byte) (conversation, error) {
	var r struct {
		Contents []struct {
			Role  string       `json:"role"`
			Parts []geminiPart `json:"parts"`
		} `json:"contents"`
		Tools []struct {
			Functions []struct {
				Name string `json:"name"`
			} `json:"functionDeclarations"`
		} `json:"tools"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return conversation{}, err
	}
	var c conversation
	for _, m := range r.Contents {
		c.turns = append(c.turns, geminiTurns(m.Role, m.Parts)...)
	}
	for _, t := range r.Tools {
		for _, f := range t.Functions {
			c.tools = append(c.tools, tool{name: f.Name})
		}
	}
	return c, nil
}

// geminiTurns takes a message apart as blocks does.
func geminiTurns(role string, parts []geminiPart) (turns []turn) {
	said := ""
	for _, p := range parts {
		if p.Response != nil {
			turns = append(turns, turn{"tool", textOf(p.Response.Response)})
		} else if p.Text != "" {
			said += p.Text + "\n"
		}
	}
	if said != "" {
		turns = append(turns, turn{role, said})
	}
	return turns
}

// candidate is an answer with one part; finish is "" while more comes.
func (a *answer) candidate(part object, finish string) object {
	c := object{"index": 0, "content": object{"role": "model", "parts": []any{part}}}
	if finish != "" {
		c["finishReason"] = finish
	}
	return object{"candidates": []any{c}, "modelVersion": Model, "responseId": a.name("r"),
		"usageMetadata": object{"promptTokenCount": input(), "cachedContentTokenCount": Tokens.Read,
			"candidatesTokenCount": Tokens.Output - Tokens.Reasoning, "thoughtsTokenCount": Tokens.Reasoning,
			"totalTokenCount": input() + Tokens.Output}}
}

func (a *answer) geminiCall(act action) object {
	return object{"functionCall": object{"id": a.name("c"), "name": act.tool.name, "args": json.RawMessage(act.text)}}
}

func (a *answer) geminiWhole(act action) {
	part := a.geminiCall(act)
	if act.kind != "tool" {
		part = object{"text": a.text(act)}
	}
	a.json(a.candidate(part, "STOP"))
}

func (a *answer) geminiStream(act action) {
	if act.kind == "tool" {
		a.event("", a.candidate(a.geminiCall(act), "STOP"))
		return
	}
	a.words(act, func(word string) { a.event("", a.candidate(object{"text": word}, "")) })
	a.event("", a.candidate(object{"text": " "}, "STOP"))
}
