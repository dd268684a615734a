package schema_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"groove/internal/groove"
	"groove/internal/schema"
)

// Fixed values in the forms of docs/protocol.md §11.
const (
	hash43   = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA"
	other43  = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8"
	bytes22  = "AQIDBAUGBwgJCgsMDQ4PEA"
	sig86    = hash43 + "BAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fIA"
	daemonA  = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	daemonB  = "baaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	id1      = "0198c0de-0000-7000-8000-000000000001"
	id2      = "0198c0de-0000-7000-8000-000000000002"
	moment   = "2026-04-12T20:30:00.000Z"
	contract = `{"opener":"` + daemonA + `","peer":"` + daemonB + `","title":"Shop API","goal":"agree","mode":"ambassador",` +
		`"openerAgents":["frontend-1"],"peerAgents":["backend-3"],"types":["message","agent.status","sync.registry"],"coordinate":[],` +
		`"project":{"root":"0123456789abcdef0123456789abcdef01234567","subpath":"api"},"paths":["api/**"],"arbiter":"` + daemonA + `",` +
		`"ttl":7200,"idle":900,"keepAlive":false,"rate":100,"budget":{"messages":10},"record":"digest","created":"` + moment + `"}`
	card = `{"agent":"backend-3","rev":17,"title":"Backend","role":"backend","program":"opencode","status":"running",` +
		`"activity":"writes","scope":["packages/api/**"],"summary":"","since":"` + moment + `"}`
)

func hello() string {
	h := schema.ContractHash(json.RawMessage(contract))
	return `{"versions":["1.0"],"software":"groove/0.1.0","name":"laptop","instance":"` + bytes22 + `","random":"` + hash43 + `","time":"` + moment +
		`","contract":` + contract + `,"contractHash":"` + groove.B64.EncodeToString(h[:]) + `","agents":[` + card + `],"backlog":{"messages":12,"bytes":34567},` +
		`"receiptsSeen":41,"last":{"conn":"` + hash43 + `","seq":12,"hash":"` + other43 + `"},"ext":{"new":[null,1.5,{"a":null}]}}`
}

// valid is one or more good payloads of each type, with every member somewhere.
func valid() map[groove.Type][]string {
	audit := `"audit":{"n":5000,"hash":"` + hash43 + `","sig":"` + sig86 + `"}`
	return map[groove.Type][]string{
		groove.TypeHello: {hello(),
			`{"versions":["1.0","2.13"],"software":"x","name":"n","instance":"` + bytes22 + `","random":"` + hash43 + `","time":"` + moment + `","receiptsSeen":0}`},
		groove.TypeGoodbye:   {`{"reason":"idle"}`, `{"reason":"manual","text":"bye",` + audit + `}`},
		groove.TypeHeartbeat: {`{"time":"` + moment + `"}`, `{"time":"` + moment + `","echo":"` + moment + `",` + audit + `}`},
		groove.TypeStatus:    {card, `{"agent":"a","rev":0,"status":"idle","since":"` + moment + `"}`},
		groove.TypeMessage: {`{"text":"hello"}`, `{"text":"naïve \"\\\n\t\u00e9 \ud83d\ude00 <b>"}`, `{ "text" : "spaced" }`,
			`{"attachments":[{"name":"api.md","mediaType":"text/markdown; charset=utf-8","text":""}],"text":"see"}`},
		groove.TypeJobUpdate: {
			`{"action":"accept","openedAt":"` + moment + `"}`, `{"action":"pending","until":"` + moment + `"}`,
			`{"action":"deny","kind":"policy.denied","text":"not today"}`, `{"action":"pause","reason":"clockSkew"}`, `{"action":"resume"}`,
			`{"action":"extend","ttlAt":"` + moment + `","answer":"yes"}`, `{"action":"end","reason":"jobComplete","summary":"done"}`},
		groove.TypeRegistry: {`{"op":"get"}`, `{"op":"get","have":"` + hash43 + `","after":"a"}`, `{"op":"same","digest":"` + hash43 + `"}`,
			`{"op":"page","digest":"` + hash43 + `","agents":[]}`, `{"op":"page","digest":"` + hash43 + `","agents":[` + card + `],"next":"backend-3"}`},
		groove.TypeReceipt: {
			`{"receipts":[{"n":41,"id":"` + id1 + `","state":"stored"},{"n":42,"id":"` + id1 + `","state":"refused","kind":"agent.unknown"},` +
				`{"id":"` + id1 + `","state":"refused","kind":"rate.exceeded","retryAfter":1200},{"at":{"seq":9,"index":3},"state":"refused","kind":"envelope.malformed"},` +
				`{"n":43,"id":"` + id1 + `","state":"answered","by":"` + id2 + `"},{"id":"` + id1 + `","state":"refused","kind":"clockSkew","clock":{"here":"` + moment + `","there":"` + moment + `"}},` +
				`{"id":"` + id2 + `","state":"refused","kind":"contract.notAllowed"}]}`},
		groove.TypeKeyRotate:  {`{"old":"` + hash43 + `","new":"` + other43 + `","at":"` + moment + `","sigOld":"` + sig86 + `","sigNew":"` + sig86 + `"}`},
		groove.TypeError:      {`{"kind":"frame.badSeq","text":""}`, `{"kind":"payload.invalid","text":"x","at":{"seq":1,"index":0}}`},
		groove.TypeCoordinate: {`{"anything":[1.5,null]}`},
		groove.TypeProjectMap: {`{}`},
	}
}

func wantKind(t *testing.T, why string, err error, kind groove.Kind) {
	t.Helper()
	if got := groove.KindOf(err); got != kind {
		t.Errorf("%s: %v: kind %q, want %q", why, err, got, kind)
	}
}

// seeds gives a fuzz target every good payload of the types and every bad one.
func seeds(f *testing.F, types ...groove.Type) {
	n := 0
	for _, t := range types {
		for _, s := range valid()[t] {
			f.Add([]byte(s))
			n++
		}
	}
	for _, r := range badRows() {
		for _, t := range types {
			if r.t == t {
				f.Add([]byte(r.payload))
			}
		}
	}
	if files, err := filepath.Glob(filepath.Join("testdata", "fuzz", f.Name(), "*")); err != nil || len(files) == 0 {
		f.Fatalf("no committed seeds for %s: %v", f.Name(), err)
	}
	if n == 0 {
		f.Fatal("no cases")
	}
}
