// Package modelserver is a model provider that plays a script instead of
// asking a model, for tests of real agent programs without a network. It speaks the dialects
// of four vendors, streamed and whole: OpenAI's chat completions and responses,
// Anthropic's messages and Gemini's generateContent; and it lists one model.
//
// It keeps no state: the script stands in the prompt. The newest user text
// with directives is the script, and each directive is one answer of the model:
//
//	[[tool:NAME {"json": "args"}]]  call the offered tool whose name ends in NAME
//	[[text:…]]                      say this
//	[[slow:10]]                     say a word each 200 ms for 10 s
//	[[status:529]]                  answer with this HTTP status
//	[[on:WORDS => tool:NAME {…}]]   a standing order: this is a directive of each later
//	                                user text that has WORDS and no directives of its own
//
// How far the script is, the tool results after it tell. After its last directive the
// answer is "DONE " and the last tool result; without any directive it is "ok". In a
// standing order {{id}} is the id of the message that the text shows.
//
// The tokens that it reports are Tokens, of every answer, in each dialect's own terms.
package modelserver

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
)

// Model is the one model that is offered.
const Model = "scripted"

// Tokens is what every answer reports as used. All numbers differ, and no sum of
// some is another, so that a test sees which one it got.
var Tokens = struct {
	Fresh     int // of the input, neither read from a cache nor written to one
	Read      int // of the input, read from the cache
	Written   int // of the input, written to the cache; Anthropic alone tells
	Output    int // reasoning included
	Reasoning int // of the output; Anthropic does not tell
}{Fresh: 1103, Read: 507, Written: 211, Output: 29, Reasoning: 7}

// input is the whole input where a dialect counts the cached part in.
func input() int { return Tokens.Fresh + Tokens.Read }

// New makes the provider. The base URL of OpenAI's dialects is the server's with /v1,
// that of the others the server's. log may be nil.
func New(log *slog.Logger) http.Handler {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &server{log: log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/models", s.models)
	mux.HandleFunc("POST /v1/chat/completions", s.serve(chat))
	mux.HandleFunc("POST /v1/responses", s.serve(responses))
	mux.HandleFunc("POST /v1/messages", s.serve(messages))
	mux.HandleFunc("POST /v1/messages/count_tokens", s.count("input_tokens"))
	mux.HandleFunc("POST /v1beta/models/{call}", s.gemini)
	return mux
}

type server struct {
	log      *slog.Logger
	answered atomic.Int64
}

type object = map[string]any

// dialect is how one vendor's clients ask and are answered.
type dialect struct {
	name   string
	read   func(body []byte) (conversation, error)
	whole  func(*answer, action)
	stream func(*answer, action)
	fault  func(status int) object
}

// maxBody bounds a request; programs send whole conversations and all their tools.
const maxBody = 64 << 20

func (s *server) serve(d dialect) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			return // the client went away
		}
		c, err := d.read(body)
		if err != nil {
			s.fail(w, http.StatusBadRequest, object{"error": object{"message": err.Error()}})
			return
		}
		act := c.decide()
		s.log.Info("answer", "dialect", d.name, "kind", act.kind, "tool", act.tool.name, "text", act.text, "turns", len(c.turns), "tools", len(c.tools))
		if act.kind == "status" {
			s.fail(w, act.n, d.fault(act.n))
			return
		}
		a := &answer{s: s, w: w, r: r, id: s.answered.Add(1)}
		if c.stream {
			w.Header().Set("Content-Type", "text/event-stream")
			d.stream(a, act)
		} else {
			w.Header().Set("Content-Type", "application/json")
			d.whole(a, act)
		}
	}
}

func (s *server) models(w http.ResponseWriter, _ *http.Request) {
	s.write(w, object{"object": "list", "data": []any{object{"id": Model, "object": "model"}}})
}

// count answers how many tokens a prompt has.
func (s *server) count(key string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { s.write(w, object{key: Tokens.Fresh}) }
}

func (s *server) fail(w http.ResponseWriter, status int, body object) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	s.write(w, body)
}

func (s *server) write(w http.ResponseWriter, v any) {
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.log.Info("client went away", "err", err)
	}
}
