package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/go-json-experiment/json"

	"groove/internal/clock"
	"groove/internal/groove"
)

// Limits of the API.
const (
	MaxBody = 1 << 20
	// MaxPoll is the longest wait of a long poll.
	MaxPoll = 30 * time.Second
	// maxDrain is how much of a refused body is read for the sake of its sender.
	maxDrain = 16 << 20
	// bodyTime is how long a body may take to arrive.
	bodyTime = 30 * time.Second
	// versionHeader stands on every answer: a client of another build says so.
	versionHeader = "Groove-Version"
)

// Route is one row of the table of routes.
type Route struct {
	ID, Method, Path string
	Who              Who
	Summary          string
	Status           int // of success; 0 = 200
}

// Handler answers API requests. Serve puts it behind the doors.
type Handler struct {
	mux     *http.ServeMux
	api     huma.API
	table   []Route
	backend Backend
	callers Callers
	log     *slog.Logger
	keys    *keys
	tcp     string         // host:port of the TCP door
	gui     *gui           // nil: the small page
	streams sync.WaitGroup // event streams under way
	ending  chan struct{}  // closed when the daemon stops
	watched watched        // streams of browsers

	bodyTime, writeTime time.Duration
}

// NewHandler registers every route.
func NewHandler(b Backend, callers Callers, log *slog.Logger) *Handler {
	h := &Handler{mux: http.NewServeMux(), backend: b, callers: callers, log: log, keys: newKeys(clock.Now), ending: make(chan struct{}), bodyTime: bodyTime, writeTime: writeTime}
	cfg := huma.DefaultConfig("groove", "1")
	cfg.Info.Description = "The local API of a groove daemon. Refusals are RFC 9457 problems with a stable kind."
	cfg.DocsPath, cfg.SchemasPath, cfg.CreateHooks = "", "", nil
	cfg.OpenAPIPath = "" // served by a route of our own, behind the doors
	cfg.RejectUnknownQueryParameters = true
	strict := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: decode}
	cfg.Formats = map[string]huma.Format{"application/json": strict, "json": strict} // the second is for problem+json
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"session": {Type: "http", Scheme: "bearer", Description: "an agent's token, or a browser's; none on the Unix socket"}}
	h.api = humago.New(h.mux, cfg)
	h.hostRoutes()
	h.agentRoutes()
	h.workRoutes()
	h.teamRoutes()
	h.attachRoute()
	h.jobRoutes()
	h.bridgeRoutes()
	h.messageRoutes()
	h.federationRoutes()
	h.doctorRoutes()
	h.programRoutes()
	h.previewRoutes()
	h.metricsRoute()
	h.browserRoutes()
	h.eventsRoute()
	h.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refused(groove.KindRouteUnknown, "request: no such route", "GET /openapi.json lists them").write(w)
	})
	return h
}

// Table returns the routes in the order of their registration.
func (h *Handler) Table() []Route { return h.table }

// OpenAPI returns the description of the API as JSON.
func (h *Handler) OpenAPI() ([]byte, error) { return h.api.OpenAPI().MarshalJSON() }

// ServeHTTP finds out who asks and answers.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(versionHeader, groove.Version)
	e := enter(r)
	if e.refused != nil {
		e.refused.write(w)
		return
	}
	if h.servePage(w, r) {
		return
	}
	// Health is open on the socket: is there a daemon at all?
	if e.tcp || r.URL.Path != healthPath {
		outs := h.watched.signOuts() // before the caller is known: none after it is missed
		caller, p := h.callerOf(r, e)
		if p != nil {
			p.write(w)
			return
		}
		r = r.WithContext(context.WithValue(context.WithValue(r.Context(), callerKey{}, caller), outsKey{}, outs))
	}
	h.limitBody(w, r)
	if r.ContentLength > MaxBody {
		// A client that still writes would see a broken connection, not the answer.
		_, _ = io.CopyN(io.Discard, r.Body, maxDrain)
		tooLarge().write(w)
		return
	}
	h.mux.ServeHTTP(w, r)
}

// limitBody gives the body of a request its time, from its first read on. The deadline is
// taken off the connection at the body's end: it would end the context of a handler that
// works on.
func (h *Handler) limitBody(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		r.Body = &timedBody{ReadCloser: r.Body, conn: http.NewResponseController(w), most: h.bodyTime}
	}
}

// timedBody is a body that must have come within most.
type timedBody struct {
	io.ReadCloser
	conn  *http.ResponseController
	most  time.Duration
	begun bool
}

func (b *timedBody) Read(p []byte) (int, error) {
	if !b.begun {
		b.begun = true
		if err := b.conn.SetReadDeadline(time.Now().Add(b.most)); err != nil {
			return 0, err
		}
	}
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		if e := b.conn.SetReadDeadline(time.Time{}); e != nil {
			return n, e
		}
	}
	return n, err
}

// decode reads a request strictly: no unknown or repeated member, no other case.
func decode(data []byte, v any) error {
	return json.Unmarshal(data, v, json.RejectUnknownMembers(true))
}

// add registers one route. The caller is checked before the body is read.
func add[I, O any](h *Handler, row Route, run func(ctx context.Context, in *I) (*O, error)) {
	h.table = append(h.table, row)
	huma.Register(h.api, h.operation(row), func(ctx context.Context, in *I) (*O, error) {
		out, err := run(ctx, in)
		if err != nil {
			logFault(h.log, row.ID, err)
			return nil, h.problemOf(err)
		}
		return out, nil
	})
}

// problemOf is ProblemOf, but where the daemon's end took a request's context: then the
// caller hears of that, not of a time that it never set.
func (h *Handler) problemOf(err error) *Problem {
	p := ProblemOf(err)
	select {
	case <-h.ending:
		if p.Kind == groove.KindTimeout {
			return refused(groove.KindDaemonDown, "request: the daemon stops", "groove start")
		}
	default:
	}
	return p
}

func (h *Handler) operation(row Route) huma.Operation {
	op := huma.Operation{
		OperationID: row.ID, Method: row.Method, Path: row.Path, Summary: row.Summary, DefaultStatus: row.Status,
		Description:  [...]string{Anyone: "For anyone on the socket, with a token on TCP.", UserOnly: "For the user.", UserAgent: "For the user and, for themselves, agents.", Holder: "For whoever holds a code of POST /api/open."}[row.Who],
		MaxBodyBytes: MaxBody + 1,
		// A deadline on the connection would end the request's context while a long
		// handler still works.
		BodyReadTimeout: -1,
		Middlewares:     huma.Middlewares{h.admit(row.Who)},
	}
	if row.Who == UserAgent || row.Who == UserOnly {
		op.Security = []map[string][]string{{"session": {}}, {}}
	}
	return op
}

func (h *Handler) admit(who Who) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if caller := callerFrom(ctx.Context()); who == UserOnly && caller != groove.User {
			_, w := humago.Unwrap(ctx)
			notForAgents().write(w)
			return
		}
		next(ctx)
	}
}

type body[T any] struct{ Body T }

func answer[T any](v T, err error) (*body[T], error) {
	if err != nil {
		return nil, err
	}
	return &body[T]{v}, nil
}

// list never answers null.
func list[T any](v []T, err error) (*body[[]T], error) {
	if v == nil {
		v = []T{}
	}
	return answer(v, err)
}

// poll gives ctx the deadline that the caller asked for, none for 0.
func poll(ctx context.Context, seconds int) (context.Context, context.CancelFunc) {
	if seconds == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, min(time.Duration(seconds)*time.Second, MaxPoll))
}
