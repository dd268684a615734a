package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"groove/internal/groove"
)

const sendPath = "/api/federation/bridge/message"

// sendRoute is the hot path. It stands in the OpenAPI document like every route, but
// reads its body once and by hand: huma decodes each body twice, once to check it
// against the schema and once into its type.
func (h *Handler) sendRoute() {
	row := Route{"send", http.MethodPost, sendPath, UserAgent, "Send a message as the caller. Answers once it is committed.", http.StatusAccepted}
	h.table = append(h.table, row)
	op := h.operation(row)
	schemas := h.api.OpenAPI().Components.Schemas
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: huma.SchemaFromType(schemas, typeOf[MessageRequest]())}}}
	op.Responses = map[string]*huma.Response{
		"202":     {Description: "Accepted", Content: map[string]*huma.MediaType{"application/json": {Schema: huma.SchemaFromType(schemas, typeOf[groove.Sent]())}}},
		"default": {Description: "Error", Content: map[string]*huma.MediaType{problemType: {Schema: huma.SchemaFromType(schemas, typeOf[Problem]())}}},
	}
	h.api.OpenAPI().AddOperation(&op)
	h.mux.HandleFunc(row.Method+" "+row.Path, h.send)
}

func (h *Handler) send(w http.ResponseWriter, r *http.Request) {
	sent, err := h.sendBody(r.Context(), w, r)
	if err != nil {
		logFault(h.log, "send", err)
		h.problemOf(err).write(w)
		return
	}
	head := w.Header()
	head["Content-Type"] = jsonType
	w.WriteHeader(http.StatusAccepted)
	b, err := json.Marshal(sent)
	if err != nil { // cannot be: an ID and three strings always marshal
		h.log.Error("request failed", "route", "send", "err", err)
		return
	}
	_, _ = w.Write(b) // committed: a sender that has gone finds it in its history
}

var jsonType = []string{"application/json"}

func (h *Handler) sendBody(ctx context.Context, w http.ResponseWriter, r *http.Request) (groove.Sent, error) {
	if r.URL.RawQuery != "" { // other routes name what they do not know; this one knows none
		p := newProblem(groove.KindInvalid, "request: validation failed")
		p.Errors = []Fault{{"?", "unknown query parameter"}}
		return groove.Sent{}, p
	}
	raw, err := readBody(w, r)
	if err != nil {
		return groove.Sent{}, err
	}
	var m MessageRequest
	if err := decode(raw, &m); err != nil {
		return groove.Sent{}, decodeFault(err)
	}
	d := groove.Draft{From: callerFrom(ctx), To: m.To.Agent, Peer: m.To.Peer, Job: m.Job, ReplyTo: m.ReplyTo, Message: m.Payload}
	if m.Expires != nil {
		d.Expires = m.Expires.Time
	}
	if p := m.fault(); p != nil {
		return groove.Sent{}, p
	}
	return h.backend.Mailbox.Send(ctx, d)
}

// fault checks what the router needs to look anything up; the schema room checks the
// payload itself.
func (m *MessageRequest) fault() *Problem {
	var faults []Fault
	if !m.To.Agent.Valid() {
		faults = append(faults, Fault{"/to/agent", "is not an agent's name"})
	}
	if m.Job != "" && !m.Job.Valid() {
		faults = append(faults, Fault{"/jobId", "is not a job ID"})
	}
	if n := len(m.Payload.Text); n == 0 || n > groove.MaxText {
		faults = append(faults, Fault{"/payload/text", "must be 1 to 262144 bytes"})
	}
	if faults == nil {
		return nil
	}
	p := newProblem(groove.KindInvalid, "send: validation failed")
	p.Errors = faults
	return p
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	size := r.ContentLength
	if size < 0 {
		size = 4 << 10
	}
	buf := make([]byte, 0, size+1)
	body := http.MaxBytesReader(w, r.Body, MaxBody)
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		var over *http.MaxBytesError
		switch {
		case err == io.EOF:
			return buf, nil
		case errors.As(err, &over):
			return nil, tooLarge()
		case err != nil:
			return nil, refused(groove.KindRequestMalformed, "request: the body ended early", "")
		}
	}
}

func tooLarge() *Problem {
	return refused(groove.KindRequestTooLarge, "request: the body is over 1 MiB", "send less, or in parts")
}
