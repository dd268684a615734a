package main

import (
	_ "embed"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

var (
	//go:embed completion/groove.bash
	bashCompletion string
	//go:embed completion/_groove
	zshCompletion string
	//go:embed completion/groove.fish
	fishCompletion string
)

// Run prints the shell's script.
func (c *completionCmd) Run(a *app) error {
	a.printf("%s", map[string]string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}[c.Shell])
	return nil
}
