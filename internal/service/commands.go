package service

// systemctl is the command line for the service's manager.
func (s Spec) systemctl(words string) string {
	if s.System {
		return "sudo systemctl " + words
	}
	return "systemctl --user " + words
}

// next are the commands after Install.
func (s Spec) next() []string {
	switch {
	case s.Manager == Launchd && s.System:
		return []string{"sudo launchctl bootstrap system " + s.Path()}
	case s.Manager == Launchd:
		return []string{"launchctl bootstrap gui/$(id -u) " + s.Path()}
	case s.System:
		return []string{s.systemctl("daemon-reload"), s.systemctl("enable --now " + Name)}
	}
	return []string{s.systemctl("daemon-reload"), s.systemctl("enable --now " + Name), "loginctl enable-linger   # so that it runs while you are not logged in"}
}

// Restart is the command that restarts the service, as words.
func Restart(m Manager, system bool, uid string) []string {
	switch {
	case m == Launchd && system:
		return []string{"launchctl", "kickstart", "-k", "system/" + Label}
	case m == Launchd:
		return []string{"launchctl", "kickstart", "-k", "gui/" + uid + "/" + Label}
	case system:
		return []string{"systemctl", "restart", Name}
	}
	return []string{"systemctl", "--user", "restart", Name}
}

// Disable is the command that ends the service and keeps it from starting again.
func Disable(m Manager, system bool, uid string) []string {
	switch {
	case m == Launchd && system:
		return []string{"launchctl", "bootout", "system/" + Label}
	case m == Launchd:
		return []string{"launchctl", "bootout", "gui/" + uid + "/" + Label}
	case system:
		return []string{"systemctl", "disable", "--now", Name}
	}
	return []string{"systemctl", "--user", "disable", "--now", Name}
}

// Reload is the command that has the manager read its units again, none for launchd.
func Reload(m Manager, system bool) []string {
	switch {
	case m == Launchd:
		return nil
	case system:
		return []string{"systemctl", "daemon-reload"}
	}
	return []string{"systemctl", "--user", "daemon-reload"}
}

// Active is the command that says whether the service runs, as words.
func Active(m Manager, system bool, uid string) []string {
	switch {
	case m == Launchd && system:
		return []string{"launchctl", "print", "system/" + Label}
	case m == Launchd:
		return []string{"launchctl", "print", "gui/" + uid + "/" + Label}
	case system:
		return []string{"systemctl", "is-active", Name}
	}
	return []string{"systemctl", "--user", "is-active", Name}
}
