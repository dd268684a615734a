package federation_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"groove/internal/federation"
	"groove/internal/groove"
	"groove/internal/schema"

	"github.com/google/go-cmp/cmp"
)

var (
	opener = groove.IDOf([]byte("the key of the opener, 32 bytes.."))
	other  = groove.IDOf([]byte("the key of the peer, 32 bytes...."))
)

func request() federation.ContractRequest {
	return federation.ContractRequest{Opener: opener, Peer: other, Title: "API", OpenerAgents: []groove.AgentName{"frontend"}, PeerAgents: []groove.AgentName{"backend"}}
}

func TestContractDefaults(t *testing.T) {
	now := time.Date(2026, 4, 12, 20, 30, 0, 123456789, time.UTC)
	got, err := federation.NewContract(request(), now)
	if err != nil {
		t.Fatal(err)
	}
	want := groove.Contract{Opener: opener, Peer: other, Title: "API", Mode: "ambassador",
		OpenerAgents: []groove.AgentName{"frontend"}, PeerAgents: []groove.AgentName{"backend"},
		Types: []groove.Type{"message", "agent.status", "sync.registry"}, Coordinate: []string{}, Paths: []string{},
		Arbiter: opener, TTL: 7200, Idle: 900, Rate: 100, Record: "digest", Created: groove.At(now)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestContractBounds(t *testing.T) {
	names := func(n int) (out []groove.AgentName) {
		for i := range n {
			out = append(out, groove.AgentName("a"+strings.Repeat("b", i)))
		}
		return out
	}
	off := int64(0)
	rows := []struct {
		why string
		set func(*federation.ContractRequest)
		ok  func(groove.Contract) bool // nil: refused
	}{
		{"keepAlive lives 24 h", func(r *federation.ContractRequest) { r.KeepAlive = true }, func(c groove.Contract) bool { return c.TTL == 86400 }},
		{"24 h is the most", func(r *federation.ContractRequest) { r.TTL = 24 * time.Hour }, func(c groove.Contract) bool { return c.TTL == 86400 }},
		{"more than 24 h", func(r *federation.ContractRequest) { r.TTL = 24*time.Hour + time.Second }, nil},
		{"a negative TTL", func(r *federation.ContractRequest) { r.TTL = -time.Hour }, nil},
		{"an idle time under a minute", func(r *federation.ContractRequest) { r.Idle = 59 * time.Second }, nil},
		{"a fraction of a second is not cut", func(r *federation.ContractRequest) { r.Idle = 59*time.Second + 1 }, func(c groove.Contract) bool { return c.Idle == 60 }},
		{"rate off is not the default", func(r *federation.ContractRequest) { r.Rate = &off }, func(c groove.Contract) bool { return c.Rate == 0 }},
		{"no agent", func(r *federation.ContractRequest) { r.PeerAgents = nil }, nil},
		{"32 agents", func(r *federation.ContractRequest) { r.PeerAgents = names(32) }, func(groove.Contract) bool { return true }},
		{"33 agents", func(r *federation.ContractRequest) { r.OpenerAgents = names(33) }, nil},
		{"an agent twice", func(r *federation.ContractRequest) { r.PeerAgents = []groove.AgentName{"a", "a"} }, nil},
		{"the user needs no link", func(r *federation.ContractRequest) { r.PeerAgents = []groove.AgentName{groove.User} }, nil},
		{"no title", func(r *federation.ContractRequest) { r.Title = "" }, nil},
		{"a long goal", func(r *federation.ContractRequest) { r.Goal = strings.Repeat("x", 4097) }, nil},
		{"a third arbiter", func(r *federation.ContractRequest) { r.Arbiter = groove.IDOf(make([]byte, 32)) }, nil},
		{"a job with oneself", func(r *federation.ContractRequest) { r.Peer = r.Opener }, nil},
		{"an unknown mode", func(r *federation.ContractRequest) { r.Mode = "boss" }, nil},
		{"a type that is the bridge's own", func(r *federation.ContractRequest) { r.Types = []groove.Type{groove.TypeHello} }, nil},
		{"a family brings its type", func(r *federation.ContractRequest) { r.Coordinate = []string{"scope"} },
			func(c groove.Contract) bool { return slices.Contains(c.Types, groove.TypeCoordinate) }},
		{"an unknown family", func(r *federation.ContractRequest) { r.Coordinate = []string{"war"} }, nil},
		{"an empty budget", func(r *federation.ContractRequest) { r.Budget = &groove.Budget{} }, nil},
		{"a budget of bytes", func(r *federation.ContractRequest) { r.Budget = &groove.Budget{Bytes: 1} }, func(groove.Contract) bool { return true }},
		{"a glob that leads out", func(r *federation.ContractRequest) { r.Paths = []string{"a/../../b"} }, nil},
		{"an absolute glob", func(r *federation.ContractRequest) { r.Paths = []string{"/etc/*"} }, nil},
		{"a broken glob", func(r *federation.ContractRequest) { r.Paths = []string{"a["} }, nil},
		{"a glob", func(r *federation.ContractRequest) { r.Paths = []string{"packages/api/**"} }, func(groove.Contract) bool { return true }},
		{"a project of both kinds", func(r *federation.ContractRequest) {
			r.Project = &groove.Project{Name: "x", Root: strings.Repeat("a", 40)}
		}, nil},
		{"a project by its root", func(r *federation.ContractRequest) {
			r.Project = &groove.Project{Root: strings.Repeat("a", 40), Subpath: "api"}
		}, func(groove.Contract) bool { return true }},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			r := request()
			row.set(&r)
			c, err := federation.NewContract(r, time.Now())
			if row.ok == nil {
				wantKind(t, err, groove.KindInvalid)
				return
			}
			if err != nil || !row.ok(c) {
				t.Fatalf("%+v, %v", c, err)
			}
			// What one side writes, the other side's schema takes.
			raw, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := schema.Contract(raw); err != nil {
				t.Error(err)
			}
		})
	}
}
