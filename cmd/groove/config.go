package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"groove/internal/config"
	"groove/internal/groove"
)

type configCmd struct {
	Show configShowCmd `cmd:"" default:"1" help:"Show every setting and where it comes from (default)."`
	Set  configSetCmd  `cmd:"" help:"Write one setting into config.toml; its comments stay."`
	Edit configEditCmd `cmd:"" help:"Open config.toml in your editor; what cannot be used is refused."`
}

type configShowCmd struct{}

// Run shows the settings as a daemon that starts now would take them.
func (configShowCmd) Run(a *app) error {
	c, err := a.config()
	if err != nil {
		return err
	}
	var out struct {
		File     string           `json:"file"`
		Settings []config.Setting `json:"settings"`
		Problems []problemText    `json:"problems"`
		Restart  bool             `json:"restart"` // the running daemon has read an older file
	}
	out.File, out.Settings, out.Problems, out.Restart = config.Path(a.home), c.Settings(), []problemText{}, a.outdated()
	for _, p := range c.Problems {
		e := p.Err()
		out.Problems = append(out.Problems, problemText{e.Why(), e.Fix})
	}
	if a.json {
		return a.printJSON(out)
	}
	var rows [][]string
	for _, s := range out.Settings {
		rows = append(rows, []string{s.Key, cell(s.Text(), 60), cell(s.Origin, 100)})
	}
	table(a.out, "no settings", []string{"KEY", "VALUE", "FROM"}, rows)
	for _, p := range out.Problems {
		a.printf("problem   %s\n          try: %s\n", cell(p.Why, 400), cell(p.Fix, 400))
	}
	if out.Restart {
		a.printf("The daemon runs with what it read at its start: groove restart\n")
	}
	return nil
}

type problemText struct {
	Why string `json:"why"`
	Fix string `json:"fix,omitempty"`
}

// config is what a daemon that starts now from here would take: of the running one it
// takes over the flags.
func (a *app) config() (*config.Config, error) {
	var flags map[string]string
	if start, err := readStarted(a.home); err == nil && a.runs() {
		flags = start.Flags
	}
	return config.Load(a.home, a.env, flags)
}

// outdated reports whether the daemon runs and started before config.toml was written.
func (a *app) outdated() bool {
	info, err := os.Stat(config.Path(a.home))
	if err != nil || !a.runs() {
		return false
	}
	s, err := a.client.Status(a.ctx)
	return err == nil && s.Started.Before(info.ModTime())
}

type configSetCmd struct {
	Key   string `arg:"" help:"As groove config show lists it: rate, bridge.listen, programs.NAME.command, …"`
	Value string `arg:"" help:"The value; several of a list between commas, or as TOML: [\"a\", \"b\"]."`
}

// Run writes one setting.
func (c *configSetCmd) Run(a *app) error {
	if err := config.EnsureHome(a.home); err != nil {
		return err
	}
	if err := checkUTF8("the value", c.Value); err != nil {
		return err
	}
	s, err := config.Set(a.home, c.Key, c.Value)
	return show(a, s, err, func(s config.Setting) {
		if strings.HasSuffix(s.Key, ".env") { // it may hold secrets
			a.printf("%s is set, %s\n", s.Key, s.Origin)
		} else {
			a.printf("%s = %s, %s\n", s.Key, cell(s.Text(), 400), s.Origin)
		}
		a.afterConfig(s.Key)
	})
}

// afterConfig says what keeps a written setting from holding.
func (a *app) afterConfig(key string) {
	if c, err := a.config(); err == nil && key != "" {
		if from := c.Origin(key); !strings.HasPrefix(from, config.Path(a.home)) {
			a.printf("  but %s stands over it\n", from)
		}
		if n := len(c.Problems); n > 0 {
			a.printf("  %d other settings cannot be used: groove config show\n", n)
		}
	}
	if a.runs() {
		a.printf("  the daemon reads it at its next start: groove restart\n")
	}
}

type configEditCmd struct{}

// Run opens a copy in the user's editor, and puts it in place if it can be used whole.
func (configEditCmd) Run(a *app) error {
	if err := config.EnsureHome(a.home); err != nil {
		return err
	}
	before, err := os.ReadFile(config.Path(a.home))
	if errors.Is(err, fs.ErrNotExist) {
		before, err = []byte(config.Template()), nil
	}
	if err != nil {
		return groove.Wrap("edit configuration", groove.KindHomeDamaged, err)
	}
	path := filepath.Join(a.home, "config-edit.toml")
	if _, err := os.Stat(path); err == nil {
		fmt.Fprintf(a.err, "groove: going on with %s, which was refused before; remove it to begin anew\n", path)
	} else if err := os.WriteFile(path, before, 0o600); err != nil {
		return groove.Wrap("edit configuration", groove.KindHomeDamaged, err)
	}
	if err := a.editor(path); err != nil {
		return err
	}
	after, err := os.ReadFile(path)
	if err != nil {
		return groove.Wrap("edit configuration", groove.KindHomeDamaged, err)
	}
	if !bytes.Equal(before, after) {
		if err := config.Replace(a.home, after); err != nil {
			e := groove.AsError(err)
			return groove.Errorf("edit configuration", e.Kind, "%s; config.toml is as before, your text is in %s", e.Why(), path).
				WithFix(strings.TrimPrefix(e.Fix+"\n", "\n") + "groove config edit goes on with it")
		}
	}
	if err := os.Remove(path); err != nil {
		return groove.Wrap("edit configuration", groove.KindHomeDamaged, err)
	}
	changed := !bytes.Equal(before, after)
	return show(a, struct {
		File    string `json:"file"`
		Changed bool   `json:"changed"`
	}{config.Path(a.home), changed}, nil, func(struct {
		File    string `json:"file"`
		Changed bool   `json:"changed"`
	}) {
		if !changed {
			a.printf("nothing was changed\n")
			return
		}
		a.printf("wrote %s\n", config.Path(a.home))
		a.afterConfig("")
	})
}

// editor opens a file in $VISUAL or $EDITOR, which may hold arguments, as git does.
func (a *app) editor(path string) error {
	editor := or(a.getenv("VISUAL"), a.getenv("EDITOR"), "vi")
	cmd := exec.CommandContext(a.ctx, "sh", "-c", editor+` "$1"`, "sh", path)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = a.env, a.in, a.err, a.err
	if err := cmd.Run(); err != nil {
		return groove.Errorf("edit configuration", groove.KindConflict, "the editor %q failed: %w", editor, err).WithFix("set EDITOR, or groove config set KEY VALUE")
	}
	return nil
}
