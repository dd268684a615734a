package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"groove/internal/groove"
	"groove/internal/service"
)

type serviceCmd struct {
	Install   serviceInstallCmd   `cmd:"" help:"Write the unit, and say which command comes next."`
	Uninstall serviceUninstallCmd `cmd:"" help:"End the service and remove its unit."`
	Status    serviceStatusCmd    `cmd:"" default:"withargs" help:"Show whether there is a unit, and whether it runs (default)."`
}

// serviceFlags say which service is meant.
type serviceFlags struct {
	System  bool   `help:"The machine's service: starts without a login, hides the bridge's port (CAP_NET_ADMIN)." xor:"scope"`
	User    bool   `help:"Your own service (default)." xor:"scope"`
	As      string `help:"With --system: the user that the daemon runs as (default: you, or who called sudo)." placeholder:"NAME"`
	Root    string `help:"Write below this folder, not on this system." type:"path" placeholder:"DIR"`
	Exe     string `help:"The groove to start (default: this one)." type:"path" placeholder:"FILE"`
	Manager string `help:"systemd or launchd (default: this system's)." enum:"systemd,launchd," default:""`
}

// spec fills in what was not said.
func (f serviceFlags) spec(a *app) (service.Spec, error) {
	s := service.Spec{Manager: service.Manager(f.Manager), System: f.System, Exe: f.Exe, Home: a.home, Root: f.Root}
	if f.As != "" && !f.System {
		return s, usage("--as goes with --system: your own service runs as you")
	}
	if s.Manager == "" {
		s.Manager = service.Systemd
		if runtime.GOOS == "darwin" {
			s.Manager = service.Launchd
		}
	}
	if s.Exe == "" {
		self, err := os.Executable()
		if err != nil {
			return s, groove.Wrap("install service", groove.KindInternal, err)
		}
		s.Exe = self
	}
	if f.System {
		return s, f.runAs(a, &s)
	}
	s.Config = or(a.getenv("XDG_CONFIG_HOME"), filepath.Join(a.getenv("HOME"), ".config"))
	if s.Manager == service.Launchd {
		s.Config = filepath.Join(a.getenv("HOME"), "Library")
	}
	if !filepath.IsAbs(s.Config) {
		return s, groove.Errorf("install service", groove.KindConfigInvalid, "HOME is not set: where do your units lie?").WithFix("set HOME, or use --system")
	}
	return s, nil
}

// runAs finds whom a service of the system runs as, and whose home it serves. Root has
// to be asked for by name: its agents would be root too.
func (f serviceFlags) runAs(a *app, s *service.Spec) error {
	s.User = or(f.As, a.getenv("SUDO_USER"))
	if s.User == "" && os.Geteuid() != 0 {
		me, err := user.Current()
		if err != nil {
			return groove.Wrap("install service", groove.KindInternal, err)
		}
		s.User = me.Username
	}
	if s.User == "" {
		return groove.Errorf("install service", groove.KindInvalid, "the daemon and its agents would run as root").WithFix("groove service install --system --as NAME")
	}
	if a.homeSaid {
		return nil
	}
	who, err := user.Lookup(s.User)
	if err != nil {
		return groove.Errorf("install service", groove.KindInvalid, "no user is called %.40q", s.User).WithFix("name one that is there, or say --home DIR")
	}
	s.Home = filepath.Join(who.HomeDir, ".groove")
	return nil
}

type serviceInstallCmd struct {
	serviceFlags `embed:""`
}

// Run writes the unit.
func (c *serviceInstallCmd) Run(a *app) error {
	s, err := c.spec(a)
	if err != nil {
		return err
	}
	r, err := service.Install(s)
	return show(a, r, err, func(r service.Result) {
		a.printf("%s: %s\n", r.Change, r.Path)
		if s.System {
			a.printf("  it runs as %s, home %s\n", s.User, s.Home)
		} else {
			a.printf("  home %s\n", s.Home)
		}
		for i, line := range r.Next {
			label := "      "
			if i == 0 {
				label = "  next"
			}
			a.printf("%s  %s\n", label, line)
		}
	})
}

type serviceUninstallCmd struct {
	serviceFlags `embed:""`
}

// Run ends the service and removes its unit.
func (c *serviceUninstallCmd) Run(a *app) error {
	s, err := c.spec(a)
	if err != nil {
		return err
	}
	r, err := a.removeService(s)
	return show(a, r, err, func(r service.Result) {
		a.printf("%s: %s\n", r.Change, r.Path)
		for _, line := range r.Next {
			a.printf("  next  %s\n", line)
		}
	})
}

// removeService ends the service where its manager answers, and removes the unit.
func (a *app) removeService(s service.Spec) (service.Result, error) {
	there, _, err := service.Installed(s)
	if err != nil {
		return service.Result{Path: s.Path(), Next: []string{}}, err
	}
	uid := strconv.Itoa(os.Getuid())
	if there && s.Root == "" {
		// It may not be enabled, and there may be no manager: the file goes all the same.
		_, _ = a.manager(a.ctx, service.Disable(s.Manager, s.System, uid))
	}
	r, err := service.Uninstall(s)
	if err == nil && s.Root == "" && r.Change == service.Removed {
		if _, e := a.manager(a.ctx, service.Reload(s.Manager, s.System)); e == nil {
			r.Next = []string{}
		}
	}
	return r, err
}

type serviceStatusCmd struct {
	serviceFlags `embed:""`
}

// Run shows the unit and whether it runs.
func (c *serviceStatusCmd) Run(a *app) error {
	s, err := c.spec(a)
	if err != nil {
		return err
	}
	there, current, err := service.Installed(s)
	if err != nil {
		return err
	}
	v := struct {
		Path      string `json:"path"`
		Installed bool   `json:"installed"`
		Current   bool   `json:"current"`
		State     string `json:"state"`             // as the manager says
		Running   string `json:"running,omitempty"` // how the running daemon of this home was started
	}{Path: s.Path(), Installed: there, Current: current, State: "unknown"}
	if there && s.Root == "" {
		v.State = a.serviceState(s)
	}
	if start, err := readStarted(a.home); err == nil && a.runs() {
		v.Running = start.How
	}
	if a.json {
		return a.printJSON(v)
	}
	switch {
	case !there:
		a.printf("unit      none at %s: groove service install\n", v.Path)
	case !current:
		a.printf("unit      %s, not as this groove writes it: groove service install\n", v.Path)
	default:
		a.printf("unit      %s\n", v.Path)
	}
	if there {
		a.printf("manager   says: %s\n", cell(v.State, 100))
	}
	switch v.Running {
	case "":
		a.printf("daemon    does not run on %s\n", a.home)
	case howUser, howSystem:
		a.printf("daemon    runs as the %s's service\n", v.Running)
	default:
		a.printf("daemon    runs in the %s, not as a service\n", v.Running)
	}
	return nil
}

func (a *app) serviceState(s service.Spec) string {
	out, err := a.manager(a.ctx, service.Active(s.Manager, s.System, strconv.Itoa(os.Getuid())))
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	var missing *exec.Error
	switch {
	case errors.As(err, &missing):
		return "no " + string(s.Manager) + " here"
	case first != "":
		return first
	case err != nil:
		return err.Error()
	}
	return "active"
}

// manager runs a command of the service's manager. No words: nothing.
func (a *app) manager(ctx context.Context, words []string) ([]byte, error) {
	if len(words) == 0 {
		return nil, nil
	}
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Env = a.env
	return cmd.CombinedOutput()
}
