package service

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// Text is the file of the service. It fails with KindInvalid.
func (s Spec) Text() (string, error) {
	if err := s.check(); err != nil {
		return "", err
	}
	if s.Manager == Launchd {
		return s.plist(), nil
	}
	return s.unit(), nil
}

// unit is systemd's (systemd.service(5), systemd.exec(5)).
//
// A user's unit takes nothing from agents that its user has. The system's has the one
// capability that hides the bridge's port, and no way to any other, so that it costs
// nothing to forbid new privileges besides: sudo could not work there anyway.
func (s Spec) unit() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# %s. Changes are lost when it is run again;", mark)
	line("# systemctl edit keeps yours in a file beside it.")
	line("[Unit]")
	line("Description=groove: AI coding agents, and the bridge to paired machines")
	line("Documentation=man:groove(1)")
	if s.System {
		line("Wants=network-online.target")
		line("After=network-online.target")
	}
	line("")
	line("[Service]")
	line("Type=notify")
	line("ExecStart=%s --home %s start --foreground", exec(s.Exe), argument(s.Home))
	how := "user"
	if s.System {
		how = "system"
		line("User=%s", s.User)
	}
	line("Environment=GROOVE_SERVICE=%s", how)
	line("# Programs of agents are found on this PATH.")
	line("Environment=%s", exec("PATH="+servicePath(s)))
	line("Restart=on-failure")
	line("RestartSec=2")
	line("# A command line or a home that cannot be used does not get better by itself.")
	line("RestartPreventExitStatus=2 7")
	line("# The daemon ends its agents; what it leaves is killed.")
	line("KillMode=mixed")
	line("TimeoutStopSec=60")
	line("# Each agent gets a cgroup of its own.")
	line("Delegate=yes")
	line("UMask=0077")
	line("StandardOutput=journal")
	line("StandardError=journal")
	if s.System {
		line("AmbientCapabilities=CAP_NET_ADMIN")
		line("CapabilityBoundingSet=CAP_NET_ADMIN")
		line("NoNewPrivileges=yes")
	}
	line("")
	line("[Install]")
	if s.System {
		line("WantedBy=multi-user.target")
	} else {
		line("WantedBy=default.target")
	}
	return b.String()
}

// servicePath is what systemd gives, with the folders before it where people install for
// themselves.
func servicePath(s Spec) string {
	const usual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	dir := s.Home[:max(strings.LastIndexByte(s.Home, '/'), 0)]
	if dir == "" || strings.ContainsRune(dir, ':') {
		return usual
	}
	return dir + "/.local/bin:" + dir + "/bin:" + dir + "/.npm-global/bin:" + usual
}

// argument quotes a word of ExecStart: specifiers and variables stand for themselves.
func argument(s string) string {
	s = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%", "$", "$$").Replace(s)
	return `"` + s + `"`
}

// exec quotes the program, or an assignment: variables are not expanded there.
func exec(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%").Replace(s) + `"`
}

// plist is launchd's (launchd.plist(5)).
func (s Spec) plist() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	pair := func(key, value string) { line("  <key>%s</key>\n  <string>%s</string>", key, text(value)) }
	line(`<?xml version="1.0" encoding="UTF-8"?>`)
	line(`<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">`)
	line(`<!-- %s. Changes are lost when it is run again. -->`, mark)
	line(`<plist version="1.0">`)
	line(`<dict>`)
	pair("Label", Label)
	line("  <key>ProgramArguments</key>\n  <array>")
	for _, arg := range []string{s.Exe, "--home", s.Home, "start", "--foreground"} {
		line("    <string>%s</string>", text(arg))
	}
	line("  </array>")
	how := "user"
	if s.System {
		how = "system"
		pair("UserName", s.User)
	}
	line("  <key>EnvironmentVariables</key>\n  <dict>")
	line("    <key>GROOVE_SERVICE</key>\n    <string>%s</string>", how)
	line("    <key>PATH</key>\n    <string>%s</string>", text("/opt/homebrew/bin:"+servicePath(s)))
	line("  </dict>")
	line("  <key>RunAtLoad</key>\n  <true/>")
	// Started again where it fails, not where it was stopped.
	line("  <key>KeepAlive</key>\n  <dict>\n    <key>SuccessfulExit</key>\n    <false/>\n  </dict>")
	line("  <key>ThrottleInterval</key>\n  <integer>10</integer>")
	line("  <key>ExitTimeOut</key>\n  <integer>60</integer>")
	line("  <key>Umask</key>\n  <integer>%d</integer>", 0o077)
	pair("StandardErrorPath", s.Home+"/logs/daemon.log")
	line(`</dict>`)
	line(`</plist>`)
	return b.String()
}

// text escapes for XML.
func text(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	return b.String()
}
