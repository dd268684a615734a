package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// gitFiles is what git needs outside the working directory: to read the repository that
// it is a part of; to commit in a worktree, of the repository's own .git nothing but
// objects, refs, logs and the worktree's entry. Its config and hooks, which every later
// command of the user's would obey, cannot be changed. Stores that it borrows objects from are not
// followed: objects/info/alternates is the agent's to write.
func gitFiles(dir string) (write, read []string) {
	top, isDir := gitTop(dir)
	switch {
	case top == "":
		return nil, nil
	case isDir:
		return nil, []string{top}
	}
	entry, common := worktree(top)
	if entry == "" {
		return nil, []string{top}
	}
	write = append(write, entry)
	for _, name := range []string{"objects", "refs", "logs", "reftable"} {
		write = append(write, filepath.Join(common, name))
	}
	return write, []string{top, common}
}

// gitTop finds the directory at or above dir that has a .git, and whether that is a directory.
func gitTop(dir string) (top string, isDir bool) {
	for at := dir; ; at = filepath.Dir(at) {
		if info, err := os.Lstat(filepath.Join(at, ".git")); err == nil && (info.IsDir() || info.Mode().IsRegular()) {
			return at, info.IsDir()
		}
		if at == filepath.Dir(at) {
			return "", false
		}
	}
}

// worktree reads where a worktree's .git file leads. The file is the agent's to write, so what it
// says counts only where the repository agrees: its entry for the worktree leads back to it.
func worktree(top string) (entry, common string) {
	file := filepath.Join(top, ".git")
	entry, ok := strings.CutPrefix(firstLine(file), "gitdir: ")
	if !ok {
		return "", ""
	}
	if !filepath.IsAbs(entry) {
		entry = filepath.Join(top, entry)
	}
	entry, err := filepath.EvalSymlinks(entry)
	if err != nil || filepath.Base(filepath.Dir(entry)) != "worktrees" {
		return "", ""
	}
	back := firstLine(filepath.Join(entry, "gitdir"))
	if !filepath.IsAbs(back) {
		back = filepath.Join(entry, back)
	}
	if realPath(back) != realPath(file) {
		return "", ""
	}
	return entry, filepath.Dir(filepath.Dir(entry))
}

// firstLine is the first line of a small file, "" where it cannot be read. It may be an agent's to
// write: a pipe in its place must not be waited for, nor a huge one be read.
func firstLine(path string) string {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return ""
	}
	defer f.Close() //nolint:errcheck // only read from
	b := make([]byte, 4096)
	n, _ := f.Read(b) // what could not be read is no line
	line, _, _ := strings.Cut(string(b[:n]), "\n")
	return line
}
