package service_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"groove/internal/groove"
	"groove/internal/service"
)

func spec(root string, system bool) service.Spec {
	return service.Spec{Manager: service.Systemd, System: system, Exe: "/bin/sh", Home: "/home/ada/.groove", User: "daemon", Config: "/home/ada/.config", Root: root}
}

// TestUnits: the units pass systemd's own check, also with paths that have to be quoted.
func TestUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal("systemd-analyze is missing")
	}
	for _, row := range []struct {
		why    string
		system bool
		edit   func(*service.Spec)
		has    []string
	}{
		{"a user's", false, nil, []string{`ExecStart="/bin/sh" --home "/home/ada/.groove" start --foreground`, "WantedBy=default.target", "KillMode=mixed", "Restart=on-failure", "GROOVE_SERVICE=user"}},
		{"the system's", true, nil, []string{"User=daemon", "AmbientCapabilities=CAP_NET_ADMIN", "CapabilityBoundingSet=CAP_NET_ADMIN", "NoNewPrivileges=yes", "WantedBy=multi-user.target", "GROOVE_SERVICE=system"}},
		{"a home with blanks, quotes, specifiers and variables", false, func(s *service.Spec) { s.Home = `/home/a b/"%h" $HOME \x` },
			[]string{`--home "/home/a b/\"%%h\" $$HOME \\x"`}},
	} {
		s := spec(t.TempDir(), row.system)
		if row.edit != nil {
			row.edit(&s)
		}
		r, err := service.Install(s)
		if err != nil {
			t.Fatalf("%s: %v", row.why, err)
		}
		text, err := os.ReadFile(r.Path)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range row.has {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s: no %s in\n%s", row.why, want, text)
			}
		}
		if !row.system && strings.Contains(string(text), "CAP_") {
			t.Errorf("%s: a user's manager has no capability to give", row.why)
		}
		if analyze == "" {
			t.Log("NOT TESTED: systemd's own check, systemd-analyze is missing")
			continue
		}
		args := []string{"verify", "--man=no", r.Path}
		if !row.system {
			args = append([]string{"--user"}, args...)
		}
		cmd := exec.Command(analyze, args...)
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
			t.Errorf("%s: systemd-analyze says %v\n%s\n%s", row.why, err, out, text)
		}
	}
}

// TestPropertyList is read as launchd's own parser would: well-formed, keys and values in pairs.
func TestPropertyList(t *testing.T) {
	for _, system := range []bool{false, true} {
		s := spec(t.TempDir(), system)
		s.Manager, s.Config, s.Home = service.Launchd, "/Users/ada/Library", `/Users/ada <&> "x"/.groove`
		r, err := service.Install(s)
		if err != nil {
			t.Fatal(err)
		}
		if want := map[bool]string{false: "/Users/ada/Library/LaunchAgents", true: "/Library/LaunchDaemons"}[system]; r.Path != s.Root+want+"/dev.groove.daemon.plist" {
			t.Errorf("it lies at %s", r.Path)
		}
		f, err := os.Open(r.Path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		got := pairs(t, f)
		if got["Label"] != service.Label || !strings.Contains(got["ProgramArguments"], s.Home) || got["KeepAlive"] != "SuccessfulExit" || (got["UserName"] != "") != system {
			t.Errorf("%+v", got)
		}
	}
}

// pairs reads the top dict: key → the text of its value.
func pairs(t *testing.T, r io.Reader) map[string]string {
	t.Helper()
	out := map[string]string{}
	d := xml.NewDecoder(r)
	depth, key, name := 0, "", ""
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			depth++
			name = x.Name.Local
			if depth == 3 && name == "key" {
				key = ""
			}
		case xml.EndElement:
			depth--
			name = ""
		case xml.CharData:
			if text := strings.TrimSpace(string(x)); text != "" {
				if depth == 3 && name == "key" {
					key = text
					out[key] = ""
				} else {
					out[key] += text
				}
			}
		}
	}
}

func TestInstallTwiceAndUninstall(t *testing.T) {
	s := spec(t.TempDir(), false)
	for i, want := range []service.Change{service.Written, service.Unchanged} {
		if r, err := service.Install(s); err != nil || r.Change != want || len(r.Next) == 0 {
			t.Fatalf("%d: %+v %v", i, r, err)
		}
	}
	s.Home = "/home/ada/other"
	if there, current, err := service.Installed(s); !there || current || err != nil {
		t.Errorf("another home: %v %v %v", there, current, err)
	}
	if r, err := service.Install(s); err != nil || r.Change != service.Replaced {
		t.Fatalf("%+v %v", r, err)
	}
	wants := filepath.Join(filepath.Dir(s.Path()), "default.target.wants")
	if err := errors.Join(os.Mkdir(wants, 0o755), os.Symlink("../groove.service", filepath.Join(wants, "groove.service"))); err != nil {
		t.Fatal(err)
	}
	for i, want := range []service.Change{service.Removed, service.Absent} {
		if r, err := service.Uninstall(s); err != nil || r.Change != want {
			t.Fatalf("%d: %+v %v", i, r, err)
		}
	}
	if left, err := os.ReadDir(wants); err != nil || len(left) != 0 {
		t.Errorf("left: %v %v", left, err)
	}
	if there, _, err := service.Installed(s); there || err != nil {
		t.Errorf("%v %v", there, err)
	}
}

func TestRefusals(t *testing.T) {
	for _, row := range []struct {
		why  string
		edit func(*service.Spec)
		kind groove.Kind
	}{
		{"a line break in a path would be a line of the unit", func(s *service.Spec) { s.Home = "/home/a\nExecStartPre=/bin/evil" }, groove.KindInvalid},
		{"a program that is not absolute", func(s *service.Spec) { s.Exe = "groove" }, groove.KindInvalid},
		{"a system's unit without a user", func(s *service.Spec) { s.User = "" }, groove.KindInvalid},
		{"a user that is more than a name", func(s *service.Spec) { s.User = "ada\nPermissionsStartOnly=yes" }, groove.KindInvalid},
		{"a file of somebody else", func(s *service.Spec) {
			if err := errors.Join(os.MkdirAll(filepath.Dir(s.Path()), 0o755), os.WriteFile(s.Path(), []byte("[Unit]\n"), 0o600)); err != nil {
				t.Fatal(err)
			}
		}, groove.KindConflict},
		{"a folder that is a file", func(s *service.Spec) {
			if err := os.WriteFile(filepath.Join(s.Root, "etc"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, groove.KindConflict},
	} {
		s := spec(t.TempDir(), true)
		row.edit(&s)
		if _, err := service.Install(s); groove.KindOf(err) != row.kind {
			t.Errorf("%s: %v", row.why, err)
		}
		if row.kind == groove.KindConflict && strings.Contains(row.why, "somebody") {
			if _, err := service.Uninstall(s); groove.KindOf(err) != row.kind {
				t.Errorf("%s: removed: %v", row.why, err)
			}
		}
	}
}
