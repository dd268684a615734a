package main

import (
	"net/url"
	"os/exec"
	"runtime"
	"syscall"

	"groove/internal/api"
	"groove/internal/groove"
)

type pageCmd struct {
	Print   bool `help:"Print the address, start no browser." xor:"how"`
	SignOut bool `help:"End the sessions of all browsers instead." xor:"how"`
}

// Run lets one browser in.
func (c *pageCmd) Run(a *app) error {
	if c.SignOut {
		if err := a.client.SignOut(a.ctx); err != nil {
			return err
		}
		a.printf("Every browser is signed out.\n")
		return nil
	}
	code, err := a.client.Open(a.ctx)
	return show(a, code, err, func(o api.OpenCode) { a.pageOpened(o, c.Print) })
}

// pageOpened starts a browser, or says what to open.
func (a *app) pageOpened(o api.OpenCode, print bool) {
	if !print && a.browse(o.URL) == nil {
		a.printf("Opened %s in your browser.\nIf it does not appear: groove open --print\n", o.Address)
		return
	}
	a.printf("Open this in a browser of this machine. It works once, within 30 seconds:\n\n  %s\n", o.URL)
	if a.getenv("SSH_CONNECTION") != "" {
		port := o.Address
		if u, err := url.Parse(o.Address); err == nil {
			port = u.Port()
		}
		a.printf("\nFrom the machine before you: ssh -L %s:127.0.0.1:%s THIS-HOST, then the same address there.\n", port, port)
	}
}

// browse starts the user's browser. The address is an argument of another program, which
// others on this machine may read: its code is good once, for seconds, and the daemon
// refuses their connections.
func (a *app) browse(address string) error {
	name := "open"
	if runtime.GOOS == "linux" {
		name = "xdg-open"
		if a.getenv("DISPLAY") == "" && a.getenv("WAYLAND_DISPLAY") == "" {
			return groove.Errorf("open", groove.KindProgramUnknown, "there is no display")
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return groove.Wrap("open", groove.KindProgramUnknown, err)
	}
	cmd := exec.Command(path, address) // not the context's: it outlives this command
	cmd.Env = a.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return groove.Wrap("open", groove.KindProgramFailed, err)
	}
	return groove.Wrap("open", groove.KindProgramFailed, cmd.Process.Release())
}
