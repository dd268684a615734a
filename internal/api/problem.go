package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"groove/internal/groove"
)

const problemType = "application/problem+json"

// Problem is a refusal on the wire (RFC 9457, docs/protocol.md §11).
type Problem struct {
	Status     int         `json:"status"`
	Kind       groove.Kind `json:"kind"`
	Title      string      `json:"title"`
	Detail     string      `json:"detail" doc:"what was refused, and why"`
	Fix        string      `json:"fix,omitempty" doc:"a command or an action that helps"`
	RetryAfter int64       `json:"retryAfter,omitempty" doc:"milliseconds"`
	Errors     []Fault     `json:"errors,omitempty"`
}

// Fault is one member of a request that cannot be used.
type Fault struct {
	Path    string `json:"path" doc:"JSON pointer into the body, ?name of a query, {name} of a path"`
	Message string `json:"message"`
}

// ProblemOf writes err as a problem. Faults of groove itself and kinds that nobody
// knows are told without their detail: that belongs into the log.
func ProblemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		err = groove.Errorf("request", groove.KindTimeout, "no answer in time")
	}
	e := groove.AsError(err)
	if !e.Kind.Known() || e.Kind == groove.KindInternal {
		return newProblem(groove.KindInternal, "a fault of groove itself; its log has the detail")
	}
	p = newProblem(e.Kind, e.Op+": "+e.Why())
	p.Fix, p.RetryAfter = e.Fix, int64(e.RetryAfter/time.Millisecond)
	return p
}

func newProblem(kind groove.Kind, detail string) *Problem {
	status := kind.Status()
	return &Problem{Status: status, Kind: kind, Title: http.StatusText(status), Detail: detail}
}

// refused makes a problem of this room's own.
func refused(kind groove.Kind, detail, fix string) *Problem {
	p := newProblem(kind, detail)
	p.Fix = fix
	return p
}

// Error gives detail and kind in one line.
func (p *Problem) Error() string { return p.Detail + " (" + string(p.Kind) + ")" }

// GetStatus is for huma.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is for huma.
func (p *Problem) ContentType(string) string { return problemType }

// AsError gives the refusal back as it was made on the other side.
func (p *Problem) AsError() *groove.Error {
	op, why, ok := strings.Cut(p.Detail, ": ")
	if !ok {
		op, why = "request", p.Detail
	}
	for _, f := range p.Errors {
		why += "; " + f.Path + ": " + f.Message
	}
	kind := p.Kind
	if !kind.Known() {
		kind = groove.KindInternal
	}
	return &groove.Error{Op: op, Kind: kind, Err: errors.New(why), Fix: p.Fix, RetryAfter: time.Duration(p.RetryAfter) * time.Millisecond}
}

// write sends the problem as the answer.
func (p *Problem) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", problemType)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // a client that has gone needs no answer
}

// init gives huma's own refusals, of bodies and parameters, the same shape: it has no
// other place for it.
func init() {
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		p := newProblem(kindOfStatus(status), "request: "+msg)
		for _, err := range errs {
			var known *Problem
			if errors.As(err, &known) {
				return known
			}
			if f, ok := faultOf(err); ok {
				p.Errors = append(p.Errors, f)
			}
		}
		return p
	}
}

// kindOfStatus names what huma itself refuses.
func kindOfStatus(status int) groove.Kind {
	switch {
	case status == http.StatusUnprocessableEntity:
		return groove.KindInvalid
	case status == http.StatusRequestEntityTooLarge:
		return groove.KindRequestTooLarge
	case status >= 500:
		return groove.KindInternal
	}
	return groove.KindRequestMalformed
}

// faultOf brings huma's location to a JSON pointer and leaves the value out: it may
// be a secret.
func faultOf(err error) (Fault, bool) {
	var d huma.ErrorDetailer
	if !errors.As(err, &d) {
		return Fault{}, false
	}
	detail := d.ErrorDetail()
	where, rest, _ := strings.Cut(detail.Location, ".")
	f := Fault{Message: detail.Message}
	switch where {
	case "query":
		f.Path = "?" + rest
	case "path":
		f.Path = "{" + rest + "}"
	default:
		if rest = strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(rest); rest != "" {
			rest = "/" + rest
		}
		f.Path = rest
	}
	return f, true
}

// logFault keeps what ProblemOf does not tell.
func logFault(log *slog.Logger, what string, err error) {
	var p *Problem
	if errors.As(err, &p) || errors.Is(err, context.Canceled) { // the caller went away, or the daemon stops
		return
	}
	if kind := groove.KindOf(err); kind == groove.KindInternal || !kind.Known() {
		log.Error("request failed", "route", what, "err", err)
	}
}
