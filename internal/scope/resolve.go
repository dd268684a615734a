package scope

import (
	"os"
	"path/filepath"
	"strings"
)

// maxLinks is where the kernel gives up as well.
const maxLinks = 40

// resolve follows the links of an absolute path as the kernel does, name by name, also through
// a link to something that is not there yet: a write would make it. Names that do not exist
// stand for themselves. A path with too many links leads nowhere: "".
func resolve(path string) string {
	at, links := "/", 0
	todo := strings.Split(path, "/")
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at)
			continue
		}
		next := filepath.Join(at, name)
		to, err := os.Readlink(next)
		if err != nil { // no link, or nothing at all
			at = next
			continue
		}
		if links++; links > maxLinks {
			return ""
		}
		if filepath.IsAbs(to) {
			at = "/"
		}
		todo = append(strings.Split(to, "/"), todo...)
	}
	return at
}
