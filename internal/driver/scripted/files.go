package scripted

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// write writes a file without asking anybody, as programs do in their bold modes, and says what came
// of it: the script plays on where it was refused.
func (s *session) write(ctx context.Context, w *Write, data *Data, said *strings.Builder) error {
	path, err := fill(*w.Path, *data)
	if err != nil {
		return err
	}
	text := ""
	if w.Text.Template != nil {
		if text, err = fill(w.Text, *data); err != nil {
			return err
		}
	}
	full := path
	if !filepath.IsAbs(full) {
		full = filepath.Join(s.dir, path)
	}
	err = os.MkdirAll(filepath.Dir(full), 0o700)
	if err == nil {
		err = os.WriteFile(full, []byte(text), 0o600)
	}
	if err != nil {
		return s.say(ctx, "not written: "+err.Error()+"\n", said)
	}
	return s.say(ctx, "wrote "+path+"\n", said)
}

// run runs a shell command in the session's directory and says its output and how it ended.
func (s *session) run(ctx context.Context, command Text, data *Data, said *strings.Builder) error {
	line, err := fill(command, *data)
	if err != nil {
		return err
	}
	c := exec.CommandContext(ctx, "sh", "-c", line)
	c.Dir = s.dir
	out, err := c.CombinedOutput()
	text := string(out)
	if err != nil {
		text += err.Error() + "\n"
	}
	return s.say(ctx, text, said)
}
