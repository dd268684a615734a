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
