package service

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"groove/internal/api"
)

func clientOf(t *testing.T, home string) *api.Client {
	t.Helper()
	c := api.NewClient(api.FindSocket(home, ""))
	t.Cleanup(c.Close)
	return c
}

func filter() api.MessageFilter { return api.MessageFilter{Limit: 10} }

// flagOf is where the daemon of a home was told to listen, when it last started.
func flagOf(t *testing.T, home string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(home, "run", "start.json"))
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Flags map[string]string `json:"flags"`
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	return s.Flags["bridge.listen"]
}
