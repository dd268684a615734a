package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/danielgtaylor/huma/v2"

	"groove/internal/clock"
	"groove/internal/groove"
)

const (
	// writeTime is how long one write to a client of events may take.
	writeTime = 10 * time.Second
	// lastWords is how long clients have to take the last events of a daemon that stops.
	lastWords = 2 * time.Second
	// closeBase and an HTTP status make the close code of a WebSocket: a page sees the
	// status of no handshake that failed.
	closeBase = 4000
)

// eventsRoute stands in the OpenAPI document like every route, but answers with a stream.
func (h *Handler) eventsRoute() {
	row := Route{"events", http.MethodGet, eventsPath, UserOnly,
		"What changes, as a WebSocket (each message an array of events) or, with Accept: text/event-stream, as server-sent events. Of several changes of one thing the last is told.", 0}
	h.table = append(h.table, row)
	op := h.operation(row)
	schemas := h.api.OpenAPI().Components.Schemas
	zero := 0.0
	op.Parameters = []*huma.Param{
		{Name: "since", In: "query", Description: "number of the last event that came; left out: from now on", Schema: &huma.Schema{Type: "integer", Format: "int64", Minimum: &zero}},
		{Name: "ticket", In: "query", Description: "of POST /api/tickets, in place of a bearer", Schema: &huma.Schema{Type: "string"}},
		{Name: "Last-Event-ID", In: "header", Description: "of server-sent events, over since", Schema: &huma.Schema{Type: "string"}},
	}
	event := schemas.Schema(typeOf[groove.Event](), true, "Event")
	op.Responses = map[string]*huma.Response{
		"101":     {Description: "WebSocket; closed with 4000 + the status of a refusal, its kind as the reason"},
		"200":     {Description: "Server-sent events: the number as id, the topic as event, the event as data", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: event}}},
		"default": {Description: "Error", Content: map[string]*huma.MediaType{problemType: {Schema: huma.SchemaFromType(schemas, typeOf[Problem]())}}},
	}
	h.api.OpenAPI().AddOperation(&op)
	h.mux.HandleFunc(row.Method+" "+row.Path, h.events)
}

func (h *Handler) events(w http.ResponseWriter, r *http.Request) {
	if callerFrom(r.Context()) != groove.User {
		notForAgents().write(w)
		return
	}
	since, p := sinceOf(r)
	if p != nil {
		p.write(w)
		return
	}
	h.streams.Add(1)
	defer h.streams.Done()
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		h.eventsSocket(w, r, since)
		return
	}
	h.eventsSSE(w, r, since)
}

// sinceOf reads the number to go on from.
func sinceOf(r *http.Request) (*uint64, *Problem) {
	query := r.URL.Query()
	for name := range query {
		if name != "since" && name != "ticket" {
			p := newProblem(groove.KindInvalid, "request: validation failed")
			p.Errors = []Fault{{"?" + groove.CleanLabel(name, 64), "is not known"}}
			return nil, p
		}
	}
	text := query.Get("since")
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		text = last // a browser that connects again keeps the address it had
	}
	if text == "" {
		return nil, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		p := newProblem(groove.KindInvalid, "request: validation failed")
		p.Errors = []Fault{{"?since", "is not the number of an event"}}
		return nil, p
	}
	return &n, nil
}

// streaming is the context of one stream: it ends with the client, and at the daemon's end only
// when the last events were to be had.
func (h *Handler) streaming(r *http.Request) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	stop := context.AfterFunc(r.Context(), func() {
		select {
		case <-h.ending:
			clock.AfterFunc(lastWords, cancel)
		default:
			cancel()
		}
	})
	return ctx, func() { stop(); cancel() }
}

func (h *Handler) eventsSSE(w http.ResponseWriter, r *http.Request, since *uint64) {
	ctx, cancel := h.streaming(r)
	defer cancel()
	ctx, leave := h.watched.until(ctx, r)
	defer leave()
	reader, err := h.backend.Events.Subscribe(ctx, since)
	if err != nil {
		logFault(h.log, "events", err)
		ProblemOf(err).write(w)
		return
	}
	defer reader.Close()
	head := w.Header()
	head.Set("Content-Type", "text/event-stream")
	head.Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	write := func(b []byte) error {
		if err := out.SetWriteDeadline(time.Now().Add(h.writeTime)); err != nil {
			return err
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
		return out.Flush()
	}
	err = write([]byte(": events\n\n"))
	for err == nil {
		var b *groove.EventBatch
		if b, err = reader.Next(ctx); err == nil {
			err = write(b.SSE)
		}
	}
	if kind := groove.KindOf(outcome(ctx, err)); kind != groove.KindInternal { // our own end, not the client's
		_ = write([]byte("event: end\ndata: {\"kind\":\"" + string(kind) + "\"}\n\n"))
	}
}

func (h *Handler) eventsSocket(w http.ResponseWriter, r *http.Request, since *uint64) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return // it has answered
	}
	defer conn.CloseNow()
	ctx, cancel := h.streaming(r)
	defer cancel()
	ctx = conn.CloseRead(ctx) // a client says nothing here; one that leaves ends it
	ctx, leave := h.watched.until(ctx, r)
	defer leave()
	reader, err := h.backend.Events.Subscribe(ctx, since)
	if err != nil {
		logFault(h.log, "events", err)
		closeSocket(conn, err)
		return
	}
	defer reader.Close()
	for err == nil {
		var b *groove.EventBatch
		if b, err = reader.Next(ctx); err == nil {
			err = h.writeBatch(ctx, conn, b)
		}
	}
	closeSocket(conn, outcome(ctx, err))
}

func (h *Handler) writeBatch(ctx context.Context, conn *websocket.Conn, b *groove.EventBatch) error {
	ctx, cancel := context.WithTimeout(ctx, h.writeTime)
	defer cancel()
	return conn.Write(ctx, websocket.MessageText, b.JSON)
}

// closeSocket says why, if the client still reads.
func closeSocket(conn *websocket.Conn, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	p := ProblemOf(err)
	code := websocket.StatusCode(closeBase + p.Status)
	if p.Kind == groove.KindDaemonDown {
		code = websocket.StatusGoingAway
	}
	_ = conn.Close(code, string(p.Kind))
}
