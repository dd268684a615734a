package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
)

// TestEveryBodyIsChecked sends each route that takes a body what it cannot use: the answer
// is a problem of the caller's, with a kind, and nothing is done.
func TestEveryBodyIsChecked(t *testing.T) {
	r := start(t, gatekeeper{})
	tried := 0
	for _, row := range api.NewHandler(r.house.backend(), gatekeeper{}, nil).Table() {
		good, takes := bodies[row.ID]
		if !takes {
			continue
		}
		var members map[string]any
		if err := json.Unmarshal([]byte(good), &members); err != nil {
			t.Fatal(err)
		}
		bad := map[string]string{
			"not JSON":                    good[:len(good)-1],
			"two values":                  good + good,
			"a list":                      "[" + good + "]",
			"null":                        "null",
			"text":                        `"x"`,
			"a member that is not known":  strings.Replace(good, "{", `{"nobody":1,`, 1),
			"__proto__":                   strings.Replace(good, "{", `{"__proto__":{},`, 1),
			"nested a thousand times":     strings.Repeat("[", 1000),
			"bytes that are not UTF-8":    strings.Replace(good, "{", "{\"\xff\":1,", 1),
			"nothing, with a JSON header": " ",
		}
		for name := range members {
			var wrong any = map[string]any{"x": 1}
			members2 := map[string]any{}
			for k, v := range members {
				members2[k] = v
			}
			members2[name] = wrong
			if _, object := members[name].(map[string]any); object {
				members2[name] = 7
			}
			text, err := json.Marshal(members2)
			if err != nil {
				t.Fatal(err)
			}
			bad[name+" of another type"] = string(text)
		}
		for why, body := range bad {
			if (row.ID == "done" || row.ID == "interrupt") && why == "a member that is not known" {
				body = `{"nobody":1}` // its good body is empty
			}
			if (row.ID == "done" || row.ID == "interrupt") && (why == "__proto__" || why == "bytes that are not UTF-8") {
				continue // a comma too many: not JSON, which is tried
			}
			tried++
			got := r.overSocket(t, row.Method, holes.Replace(row.Path), body, nil)
			if got.status < 400 || got.status > 422 {
				t.Errorf("%s: %s: %d %s", row.ID, why, got.status, got.body)
				continue
			}
			if p := got.problem(t); !p.Kind.Known() || p.Kind == groove.KindInternal {
				t.Errorf("%s: %s: %s", row.ID, why, p.Kind)
			}
		}
	}
	if tried < 150 || len(r.house.drafts) != 0 {
		t.Errorf("%d bodies were tried, %d messages sent", tried, len(r.house.drafts))
	}
}

// TestASlowBodyIsGivenUp on every sort of route; a handler that works longer is not ended.
func TestASlowBodyIsGivenUp(t *testing.T) {
	r := start(t, gatekeeper{}, 50*time.Millisecond)
	for _, path := range []string{"/api/agents", "/api/federation/bridge/message"} {
		conn, err := net.Dial("unix", r.socket)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", path); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if resp.StatusCode != 400 || resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s", path, resp.Status)
		}
		resp.Body.Close()
		conn.Close()
	}
}

// TestEveryParameterIsChecked goes through the document: each parameter of each route with
// what it cannot be, and one that no route has.
func TestEveryParameterIsChecked(t *testing.T) {
	r := start(t, gatekeeper{})
	h := api.NewHandler(r.house.backend(), gatekeeper{}, nil)
	raw, err := h.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			Parameters []struct {
				Name, In string
				Schema   struct{ Type string }
			}
		}
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, row := range h.Table() {
		path := holes.Replace(row.Path)
		bad := map[string]string{}
		if row.ID != "metrics" && row.ID != "openapi" { // written by hand, and they take none
			bad["a parameter that is not known"] = path + "?nobody=1"
		}
		for _, p := range doc.Paths[row.Path][strings.ToLower(row.Method)].Parameters {
			values := []string{strings.Repeat("x", 5000)}
			if p.Schema.Type == "integer" {
				values = []string{"x", "1.5", "-99999999999", "99999999999999999999"}
			} else if p.Schema.Type == "boolean" {
				values = []string{"perhaps"}
			} else if p.In == "query" {
				continue // a text: what it names may not be there, which is no fault of form
			}
			for _, v := range values {
				where := p.Name + "=" + v[:min(len(v), 12)]
				if p.In == "path" {
					bad[where] = holes.Replace(strings.Replace(row.Path, "{"+p.Name+"}", v, 1))
				} else {
					bad[where] = path + "?" + p.Name + "=" + v
				}
			}
		}
		for why, target := range bad {
			tried++
			got := r.overSocket(t, row.Method, target, bodies[row.ID], nil)
			if got.status < 400 || got.status > 422 {
				t.Errorf("%s: %s: %d %.200s", row.ID, why, got.status, got.body)
				continue
			}
			if p := got.problem(t); !p.Kind.Known() || p.Kind == groove.KindInternal {
				t.Errorf("%s: %s: %s", row.ID, why, p.Kind)
			}
		}
	}
	if tried < 80 {
		t.Errorf("only %d were tried", tried)
	}
}

// TestNoRouteReadsTenMebibytes, whether the client says how much comes or not.
func TestNoRouteReadsTenMebibytes(t *testing.T) {
	r := start(t, gatekeeper{})
	tried := 0
	for _, row := range api.NewHandler(r.house.backend(), gatekeeper{}, nil).Table() {
		if _, takes := bodies[row.ID]; !takes {
			continue
		}
		for _, chunked := range []bool{false, true} {
			tried++
			conn, err := net.Dial("unix", r.socket)
			if err != nil {
				t.Fatal(err)
			}
			req, err := http.NewRequestWithContext(t.Context(), row.Method, "http://localhost"+holes.Replace(row.Path), strings.NewReader(`{"pad":"`+strings.Repeat("a", 10<<20)+`"}`))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			if chunked {
				req.ContentLength = -1
			}
			go func() { _ = req.Write(conn) }() // the answer may come before its end
			resp, err := http.ReadResponse(bufio.NewReader(conn), req)
			if err != nil {
				t.Fatalf("%s: %v", row.ID, err)
			}
			if resp.StatusCode != 413 || resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s, chunked %t: %s", row.ID, chunked, resp.Status)
			}
			resp.Body.Close()
			conn.Close()
		}
	}
	if tried < 30 {
		t.Errorf("only %d were tried", tried)
	}
}
