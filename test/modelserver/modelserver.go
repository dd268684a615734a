// Package modelserver is a model provider that plays a script instead of
// asking a model, for tests of real agent programs without a network. It speaks the OpenAI
// chat-completions dialect, streamed and whole, and lists one model.
//
// It keeps no state: the script stands in the prompt. The newest user text
// with directives is the script, and each directive is one answer of the model:
//
//	[[tool:NAME {"json": "args"}]]  call the offered tool whose name ends in NAME
//	[[text:…]]                      say this
//	[[slow:10]]                     say a word each 200 ms for 10 s
//	[[status:529]]                  answer with this HTTP status
//
// How far the script is, the tool results after it tell. After its last directive the
// answer is "DONE " and the last tool result; without any directive it is "ok".
package modelserver

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Model is the one model that is offered.
const Model = "scripted"

// wordPause is the time between the words of a slow answer.
const wordPause = 200 * time.Millisecond

// New makes the provider. Its base URL is the server's with /v1. log may be nil.
func New(log *slog.Logger) http.Handler {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &server{log: log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/models", s.models)
	mux.HandleFunc("POST /v1/chat/completions", s.chat)
	return mux
}

type server struct {
	log      *slog.Logger
	answered atomic.Int64
}

func (s *server) models(w http.ResponseWriter, _ *http.Request) {
	s.write(w, object{"object": "list", "data": []any{object{"id": Model, "object": "model"}}})
}

type object = map[string]any

// request is the part of a chat-completions request that decides the answer.
type request struct {
	Stream   bool      `json:"stream"`
	Messages []message `json:"messages"`
	Tools    []struct {
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	} `json:"tools"`
}

type message struct {
	Role    string  `json:"role"`
	Content content `json:"content"`
}

// content is a string, or a list of parts whose texts count.
type content string

func (c *content) UnmarshalJSON(b []byte) error {
	var whole string
	if json.Unmarshal(b, &whole) == nil {
		*c = content(whole)
		return nil
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(b, &parts); err != nil {
		return err
	}
	for _, p := range parts {
		*c += content(p.Text + "\n")
	}
	return nil
}

// action is one answer of the model.
type action struct {
	kind string // tool text slow status
	text string // text: the words; tool: the arguments
	name string // of the tool, as it was offered
	n    int    // slow: seconds; status: the code
}

var directive = regexp.MustCompile(`(?s)\[\[(tool|text|slow|status):(.*?)\]\]`)

// decide finds where the script stands.
func (r request) decide() action {
	at, steps := r.script()
	if steps == nil {
		return action{kind: "text", text: "ok"}
	}
	done, last := 0, ""
	for _, m := range r.Messages[at+1:] {
		if m.Role == "tool" {
			done, last = done+1, string(m.Content)
		}
	}
	if done >= len(steps) {
		return action{kind: "text", text: "DONE " + strings.TrimSpace(last)}
	}
	return r.action(steps[done][1], strings.TrimSpace(steps[done][2]))
}

func (r request) script() (at int, steps [][]string) {
	for i := len(r.Messages) - 1; i >= 0; i-- {
		if r.Messages[i].Role != "user" {
			continue
		}
		if found := directive.FindAllStringSubmatch(string(r.Messages[i].Content), -1); found != nil {
			return i, found
		}
	}
	return 0, nil
}

func (r request) action(kind, value string) action {
	switch kind {
	case "tool":
		name, args, _ := strings.Cut(value, " ")
		for _, t := range r.Tools {
			if strings.HasSuffix(t.Function.Name, name) && json.Valid([]byte(args)) {
				return action{kind: kind, name: t.Function.Name, text: args}
			}
		}
		return action{kind: "text", text: fmt.Sprintf("NOTOOL %s with valid arguments among %d tools", name, len(r.Tools))}
	case "slow", "status":
		n, err := strconv.Atoi(value)
		if err != nil {
			return action{kind: "text", text: "NONUMBER " + value}
		}
		return action{kind: kind, n: n}
	}
	return action{kind: "text", text: value}
}

func (s *server) chat(w http.ResponseWriter, r *http.Request) {
	var req request
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<20)).Decode(&req); err != nil {
		s.fail(w, http.StatusBadRequest, err.Error())
		return
	}
	a := req.decide()
	s.log.Info("answer", "kind", a.kind, "tool", a.name, "messages", len(req.Messages), "tools", len(req.Tools))
	if a.kind == "status" {
		s.fail(w, a.n, "scripted")
		return
	}
	answer := &answer{s: s, w: w, r: r, id: s.answered.Add(1)}
	if req.Stream {
		answer.stream(a)
	} else {
		answer.whole(a)
	}
}

func (s *server) fail(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	s.write(w, object{"error": object{"message": text}})
}

func (s *server) write(w http.ResponseWriter, v any) {
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.log.Info("client went away", "err", err)
	}
}

// answer writes one completion.
type answer struct {
	s  *server
	w  http.ResponseWriter
	r  *http.Request
	id int64
}

var usage = object{"prompt_tokens": 1000, "completion_tokens": 20, "total_tokens": 1020}

func (a *answer) call(act action) object {
	return object{"index": 0, "id": fmt.Sprintf("call_%d", a.id), "type": "function",
		"function": object{"name": act.name, "arguments": act.text}}
}

func (a *answer) whole(act action) {
	text := ""
	finish, m := "stop", object{"role": "assistant"}
	if act.kind == "tool" {
		finish, m["tool_calls"] = "tool_calls", []any{a.call(act)}
	} else {
		a.words(act, func(word string) { text += word })
		m["content"] = text
	}
	a.w.Header().Set("Content-Type", "application/json")
	a.s.write(a.w, object{"id": a.name(), "object": "chat.completion", "created": 0, "model": Model,
		"choices": []any{object{"index": 0, "message": m, "finish_reason": finish}}, "usage": usage})
}

func (a *answer) stream(act action) {
	a.w.Header().Set("Content-Type", "text/event-stream")
	a.chunk(object{"role": "assistant", "content": ""}, nil)
	if act.kind == "tool" {
		a.chunk(object{"tool_calls": []any{a.call(act)}}, nil)
		a.chunk(object{}, "tool_calls")
	} else {
		a.words(act, func(word string) { a.chunk(object{"content": word}, nil) })
		a.chunk(object{}, "stop")
	}
	a.event(object{"id": a.name(), "object": "chat.completion.chunk", "created": 0, "model": Model, "choices": []any{}, "usage": usage})
	fmt.Fprint(a.w, "data: [DONE]\n\n") // a client that went away is seen at the next request
}

func (a *answer) name() string { return fmt.Sprintf("chatcmpl-%d", a.id) }

func (a *answer) chunk(delta object, finish any) {
	a.event(object{"id": a.name(), "object": "chat.completion.chunk", "created": 0, "model": Model,
		"choices": []any{object{"index": 0, "delta": delta, "finish_reason": finish}}})
}

func (a *answer) event(v object) {
	fmt.Fprint(a.w, "data: ") // as above
	a.s.write(a.w, v)
	fmt.Fprint(a.w, "\n")
	if f, ok := a.w.(http.Flusher); ok {
		f.Flush()
	}
}

// words gives the answer's text piece by piece, until the client goes away.
func (a *answer) words(act action, give func(string)) {
	if act.kind != "slow" {
		give(act.text)
		return
	}
	tick := time.NewTicker(wordPause)
	defer tick.Stop()
	for i := range act.n * int(time.Second/wordPause) {
		select {
		case <-tick.C:
			give(fmt.Sprintf("w%d ", i))
		case <-a.r.Context().Done():
			return
		}
	}
	give("SLOWEND")
}
