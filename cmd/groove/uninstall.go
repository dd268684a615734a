package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/internal/service"
)

type uninstallCmd struct {
	HomeToo bool `help:"The home as well: key, pairings, messages and the record are gone for good."`
	Yes     bool `help:"Do not ask."`
}

// found is something that groove wrote.
type found struct {
	Path string `json:"path"`
	What string `json:"what"`
	do   func() error
}

// Run lists what groove wrote, asks, and removes it. The program itself stays: whoever
// installed it, a package or a copy, removes it.
func (c *uninstallCmd) Run(a *app) error {
	all, err := c.find(a)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return show(a, []found{}, nil, func([]found) { a.printf("there is nothing of groove here\n") })
	}
	if !a.json {
		for _, f := range all {
			a.printf("%-9s %s\n", f.What, f.Path)
		}
	}
	if !c.Yes && !isTerminal(a.in) {
		return groove.Errorf("uninstall", groove.KindConflict, "nothing was removed: nobody said yes").WithFix("groove uninstall --yes")
	}
	if err := a.sure(c.Yes, "Remove these?"); err != nil {
		return err
	}
	for _, f := range all {
		if err := f.do(); err != nil {
			return err
		}
	}
	return show(a, all, nil, func([]found) {
		a.printf("removed\n")
		if _, err := os.Stat(a.home); err == nil {
			a.printf("The home stays, with key, pairings and messages: %s. groove uninstall --home-too removes it.\n", a.home)
		}
		if self, err := os.Executable(); err == nil {
			a.printf("The program stays: %s\n", self)
		}
	})
}

func (c *uninstallCmd) find(a *app) ([]found, error) {
	var all []found
	for _, system := range []bool{false, true} {
		s, err := serviceFlags{System: system, As: map[bool]string{true: "root"}[system]}.spec(a)
		if err != nil {
			continue // where no unit can be, there is none
		}
		there, _, err := service.Installed(s)
		if err != nil || !there {
			continue // none, or somebody else's
		}
		all = append(all, found{s.Path(), "service", func() error {
			_, err := a.removeService(s)
			return err
		}})
	}
	if a.runs() {
		all = append(all, found{a.home, "daemon", func() error { return a.endDaemon() }})
	}
	if socket := api.FindSocket(a.home, a.getenv("XDG_RUNTIME_DIR")); filepath.Dir(filepath.Dir(socket)) != a.home {
		if _, err := os.Lstat(socket); err == nil { // a home with a long path has its socket elsewhere
			all = append(all, found{socket, "socket", func() error { return remove(socket) }})
		}
	}
	if !c.HomeToo {
		return all, nil
	}
	if _, err := os.Lstat(a.home); err == nil {
		if err := isHome(a.home); err != nil {
			return nil, err
		}
		all = append(all, found{a.home, "home", func() error {
			return groove.Wrap("uninstall", groove.KindHomeDamaged, os.RemoveAll(a.home))
		}})
	}
	return all, nil
}

// isHome refuses to remove a folder that groove did not make.
func isHome(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return groove.Wrap("uninstall", groove.KindHomeDamaged, err)
	}
	ours := map[string]bool{"identity": true, "federation": true, "sessions": true, "logs": true, "run": true, "groove.db": true, "groove.db-wal": true, "groove.db-shm": true,
		"config.toml": true, "config-edit.toml": true}
	known := 0
	for _, e := range entries {
		switch {
		case ours[e.Name()]:
			known++
		default:
			return groove.Errorf("uninstall", groove.KindConflict, "%s holds %q, which groove did not write", dir, e.Name()).WithFix("move it away, or remove the folder yourself")
		}
	}
	if known == 0 && len(entries) > 0 {
		return groove.Errorf("uninstall", groove.KindConflict, "%s is no home of groove", dir).WithFix("see GROOVE_HOME and --home")
	}
	return nil
}

// endDaemon stops the daemon; a service's may have been ended with it.
func (a *app) endDaemon() error {
	if err := a.client.Stop(a.ctx); err != nil && groove.KindOf(err) != groove.KindDaemonDown {
		return err
	}
	return awaitEnd(a.ctx, a.home)
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return groove.Errorf("uninstall", groove.KindConflict, "%w", err).WithFix(fmt.Sprintf("rm %q", path))
	}
	return nil
}
