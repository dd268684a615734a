package schema_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"groove/internal/groove"
)

var update = flag.Bool("update", false, "rewrite docs/schemas")

const schemaFolder = "../../docs/schemas"

// payloads is every type and the struct of its payload; nil is any object.
var payloads = map[groove.Type]reflect.Type{
	groove.TypeHello: reflect.TypeFor[groove.Hello](), groove.TypeGoodbye: reflect.TypeFor[groove.Goodbye](),
	groove.TypeHeartbeat: reflect.TypeFor[groove.Heartbeat](), groove.TypeStatus: reflect.TypeFor[groove.Card](),
	groove.TypeMessage: reflect.TypeFor[groove.Message](), groove.TypeJobUpdate: reflect.TypeFor[groove.JobUpdate](),
	groove.TypeRegistry: reflect.TypeFor[groove.RegistrySync](), groove.TypeReceipt: reflect.TypeFor[groove.Receipts](),
	groove.TypeKeyRotate: reflect.TypeFor[groove.KeyRotate](), groove.TypeError: reflect.TypeFor[groove.WireError](),
	groove.TypeCoordinate: nil, groove.TypeProjectMap: nil,
}

type object = map[string]any

// limits says of a member what its Go type does not. JSON Schema counts letters
// where the protocol counts bytes: a text within these bounds may still be too long.
var limits = map[string]object{
	"Hello.versions": {"minItems": 1, "maxItems": 16}, "Hello.software": label(64), "Hello.name": label(64),
	"Hello.instance": base64url(22), "Hello.random": base64url(43), "Hello.contractHash": base64url(43), "Hello.agents": {"maxItems": 32},
	"Last.conn": base64url(43), "Last.hash": base64url(43), "Last.seq": {"minimum": 1},
	"Contract.opener": daemonID, "Contract.peer": daemonID, "Contract.arbiter": daemonID,
	"Contract.title": label(120), "Contract.goal": {"maxLength": 4096}, "Contract.mode": enum("ambassador", "direct"),
	"Contract.openerAgents": {"minItems": 1, "maxItems": 32, "uniqueItems": true}, "Contract.peerAgents": {"minItems": 1, "maxItems": 32, "uniqueItems": true},
	"Contract.types": {"uniqueItems": true}, "Contract.coordinate": {"uniqueItems": true, "items": with(text, enum("scope", "handoff", "blob", "decision", "api", "plan"))},
	"Contract.paths": {"maxItems": 64, "items": with(text, label(200))}, "Contract.ttl": {"minimum": 1, "maximum": 86400},
	"Contract.idle": {"minimum": 60, "maximum": 86400}, "Contract.record": enum("digest", "full"),
	"Project.name": label(64), "Project.root": {"pattern": "^([0-9a-f]{40}|[0-9a-f]{64})$"}, "Project.subpath": label(200),
	"Goodbye.reason": enum("jobComplete", "idle", "ttl", "manual", "shutdown", "rotated", "unpaired", "denied", "replaced", "protocolError"),
	"Goodbye.text":   {"maxLength": 200}, "AuditHead.hash": base64url(43), "AuditHead.sig": base64url(86),
	"Card.agent": agentName, "Card.title": label(120), "Card.role": label(64), "Card.program": label(64), "Card.activity": {"maxLength": 200},
	"Card.status": enum("idle", "running", "awaiting", "stalled", "failed", "completed", "crashed", "killed", "removed"),
	"Card.scope":  {"maxItems": 20, "items": with(text, label(200))}, "Card.summary": {"maxLength": 1000},
	"Message.text": {"minLength": 1, "maxLength": 262144}, "Message.attachments": {"maxItems": 16},
	"Attachment.name": {"minLength": 1, "maxLength": 128, "pattern": "^[^/]*$"}, "Attachment.mediaType": {"pattern": "^[^/]+/[^/]+"},
	"JobUpdate.action": enum("accept", "pending", "deny", "pause", "resume", "extend", "end"), "JobUpdate.text": {"maxLength": 200},
	"JobUpdate.answer": enum("yes", "no"), "JobUpdate.summary": {"maxLength": 1000},
	"RegistrySync.op": enum("get", "same", "page"), "RegistrySync.have": base64url(43), "RegistrySync.digest": base64url(43),
	"RegistrySync.after": agentName, "RegistrySync.next": agentName, "RegistrySync.agents": {"maxItems": 256},
	"Receipts.receipts": {"minItems": 1, "maxItems": 1024}, "Receipt.id": messageID, "Receipt.by": messageID, "Receipt.n": {"minimum": 1},
	"Receipt.state": enum("held", "stored", "delivered", "started", "answered", "refused"),
	"FrameAt.seq":   {"minimum": 1}, "FrameAt.index": {"maximum": 63}, "WireError.text": {"maxLength": 200},
	"KeyRotate.old": base64url(43), "KeyRotate.new": base64url(43), "KeyRotate.sigOld": base64url(86), "KeyRotate.sigNew": base64url(86),
}

var (
	text      = object{"type": "string"}
	daemonID  = object{"pattern": "^[a-z2-7]{52}$"}
	agentName = object{"pattern": "^[a-z0-9][a-z0-9._-]{0,62}$"}
	messageID = object{"pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"}
	wireTime  = object{"type": "string", "pattern": `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`}
)

func label(max int) object { return object{"minLength": 1, "maxLength": max} }
func enum(v ...any) object { return object{"enum": v} }
func base64url(n int) object {
	return object{"minLength": n, "maxLength": n, "pattern": "^[A-Za-z0-9_-]*$"}
}

func with(a, b object) object {
	out := object{}
	for _, from := range []object{a, b} {
		for k, v := range from {
			out[k] = v
		}
	}
	return out
}

// schemaOf writes a payload struct as JSON Schema and notes which limits it used.
func schemaOf(t reflect.Type, used map[string]bool) object {
	switch {
	case t == nil, t == reflect.TypeFor[json.RawMessage]():
		return object{"type": "object"}
	case t == reflect.TypeFor[groove.Time]():
		return wireTime
	case t == reflect.TypeFor[groove.AgentName]():
		return with(text, agentName)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem(), used)
	case reflect.Slice:
		return object{"type": "array", "items": schemaOf(t.Elem(), used)}
	case reflect.String:
		return text
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Struct:
		return structSchema(t, used)
	}
	return object{"type": "integer", "minimum": 0, "maximum": 1<<53 - 1}
}

func structSchema(t reflect.Type, used map[string]bool) object {
	properties, required := object{}, []string{}
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		key := t.Name() + "." + name
		used[key] = true
		s := with(schemaOf(t.Field(i).Type, used), limits[key])
		if name == "contract" {
			s = schemaOf(reflect.TypeFor[groove.Contract](), used)
		}
		if properties[name] = s; options == "" {
			required = append(required, name)
		}
	}
	return object{"type": "object", "additionalProperties": false, "properties": properties, "required": required}
}

// TestSchemas holds docs/schemas to the structs: a file a type, no more.
func TestSchemas(t *testing.T) {
	used := map[string]bool{}
	var want []string
	for typ, payload := range payloads {
		if typ.Class() == groove.Unknown {
			t.Errorf("%s is no type", typ)
		}
		doc := with(object{"$schema": "https://json-schema.org/draft/2020-12/schema", "title": string(typ),
			"description": "Payload of " + string(typ) + ", docs/protocol.md §11. Lengths there are bytes; rules about which members go together stand there too."}, schemaOf(payload, used))
		golden(t, string(typ)+".json", doc)
		want = append(want, string(typ)+".json")
	}
	entries, err := os.ReadDir(schemaFolder)
	if err != nil || len(entries) == 0 {
		t.Fatal("no schemas:", err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for key := range limits {
		if !used[key] {
			t.Errorf("a limit on %s, which is no member", key)
		}
	}
	if len(valid()) != len(payloads) {
		t.Errorf("%d types have good payloads, %d exist", len(valid()), len(payloads))
	}
}

func golden(t *testing.T, name string, doc object) {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(schemaFolder, name)
	if *update {
		if err := os.MkdirAll(schemaFolder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("no schema (run with -update): %v", err)
	}
	if diff := cmp.Diff(b.String(), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// TestSchemasAcceptGoodPayloads: the documents describe what Check reads.
func TestSchemasAcceptGoodPayloads(t *testing.T) {
	n := 0
	for typ, list := range valid() {
		raw, err := os.ReadFile(filepath.Join(schemaFolder, string(typ)+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var doc object
		if err := json.Unmarshal(raw, &doc); err != nil {
			t.Fatal(err)
		}
		for _, p := range list {
			var v any
			if err := json.Unmarshal([]byte(p), &v); err != nil {
				t.Fatal(err)
			}
			validate(t, string(typ), doc, v)
			n++
		}
	}
	if n == 0 {
		t.Fatal("no cases")
	}
}

// validate knows the keywords that the documents use.
func validate(t *testing.T, path string, doc object, v any) {
	t.Helper()
	if list, ok := doc["enum"].([]any); ok && !slices.Contains(list, v) {
		t.Errorf("%s: %v is none of %v", path, v, list)
	}
	switch v := v.(type) {
	case map[string]any:
		properties, _ := doc["properties"].(object)
		for name, member := range v {
			if s, ok := properties[name].(object); ok {
				validate(t, path+"/"+name, s, member)
			} else if doc["additionalProperties"] == false {
				t.Errorf("%s/%s: additional", path, name)
			}
		}
		required, _ := doc["required"].([]any)
		for _, name := range required {
			if _, ok := v[name.(string)]; !ok {
				t.Errorf("%s/%s: missing", path, name)
			}
		}
		wantType(t, path, doc, "object")
	case []any:
		for _, e := range v {
			validate(t, path, doc["items"].(object), e)
		}
		bounds(t, path, doc, "Items", len(v))
		wantType(t, path, doc, "array")
	case string:
		if p, ok := doc["pattern"].(string); ok && !regexp.MustCompile(p).MatchString(v) {
			t.Errorf("%s: %q is not %s", path, v, p)
		}
		bounds(t, path, doc, "Length", utf8.RuneCountInString(v))
		wantType(t, path, doc, "string")
	case float64:
		if v < doc["minimum"].(float64) || v > doc["maximum"].(float64) {
			t.Errorf("%s: %v", path, v)
		}
		wantType(t, path, doc, "integer")
	case bool:
		wantType(t, path, doc, "boolean")
	}
}

func wantType(t *testing.T, path string, doc object, kind string) {
	t.Helper()
	if doc["type"] != kind {
		t.Errorf("%s: %s, the schema says %v", path, kind, doc["type"])
	}
}

func bounds(t *testing.T, path string, doc object, what string, n int) {
	t.Helper()
	if min, ok := doc["min"+what].(float64); ok && n < int(min) {
		t.Errorf("%s: %d, at least %v", path, n, min)
	}
	if max, ok := doc["max"+what].(float64); ok && n > int(max) {
		t.Errorf("%s: %d, at most %v", path, n, max)
	}
}
