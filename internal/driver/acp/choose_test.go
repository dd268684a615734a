package acp_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"groove/internal/driver/acp"
	"groove/internal/groove"
)

// A launch's mode and model are set in the way that the program offers, and a program
// that refuses them does not run.
func TestModeAndModel(t *testing.T) {
	const (
		modes   = `"modes":{"availableModes":[{"id":"ask"},{"id":"yolo"}]}`
		models  = `"models":{"availableModels":[{"modelId":"big"},{"modelId":"small"}]}`
		options = `"configOptions":[{"id":"m1","category":"mode","options":[{"value":"ask"}]},{"id":"m2","category":"model","currentValue":true,"options":[{"value":"big"}]}]`
		fine    = `{"id":3,"result":{}}`
		refused = `{"id":3,"error":{"code":-32602,"message":"no such thing"}}`
	)
	for _, row := range []struct {
		name, offer, answer, mode, model string
		sent                             string // what was asked for, or
		fails                            string // why it failed
	}{
		{"mode by method", modes, fine, "ask", "", `"method":"session/set_mode","params":{"modeId":"ask","sessionId":"s"}`, ""},
		{"mode by method before option", modes + "," + options, fine, "ask", "", `"method":"session/set_mode"`, ""},
		{"mode by option alone", options, fine, "ask", "", `"method":"session/set_config_option","params":{"configId":"m1","sessionId":"s","value":"ask"}`, ""},
		{"mode of a program that tells none", `"x":1`, fine, "ask", "", `"method":"session/set_mode"`, ""},
		{"model by option before method", models + "," + options, fine, "", "big", `"method":"session/set_config_option","params":{"configId":"m2","sessionId":"s","value":"big"}`, ""},
		{"model by method alone", models, fine, "", "small", `"method":"session/set_model","params":{"modelId":"small","sessionId":"s"}`, ""},
		{"mode refused", modes, refused, "askk", "", "", "session/set_mode askk: no such thing (-32602); it offers ask, yolo"},
		{"model refused by option", options, refused, "", "bigg", "", "bigg: no such thing (-32602); it offers big"},
		{"model refused by method", models, refused, "", "bigg", "", "it offers big, small"},
		{"no model to choose", modes, fine, "", "big", "", "no choice of model, so that big cannot be chosen"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			file, heard := filepath.Join(dir, "lines"), filepath.Join(dir, "heard")
			lines := `{"id":1,"result":{"protocolVersion":1,"agentCapabilities":{}}}` + "\n" +
				`{"id":2,"result":{"sessionId":"s",` + row.offer + `}}` + "\n" + row.answer + "\n"
			if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
				t.Fatal(err)
			}
			l, _ := launch(t, "")
			l.Argv, l.Env = []string{l.Argv[0], "transcript", file}, []string{"TRANSCRIPT_HEARD=" + heard}
			l.Mode, l.Model = row.mode, row.model
			s, err := acp.New(acp.Options{}).Start(t.Context(), l)
			if row.fails != "" {
				if groove.KindOf(err) != groove.KindProgramFailed || !strings.Contains(err.Error(), row.fails) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			s.Stop(t.Context())
			sent, err := os.ReadFile(heard)
			if err != nil || !strings.Contains(string(sent), row.sent) {
				t.Errorf("sent %s", sent)
			}
		})
	}
}
