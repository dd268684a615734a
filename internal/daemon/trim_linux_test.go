package daemon

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestUnwritten(t *testing.T) {
	for line, want := range map[string]bool{
		"00400000-010f5000 r-xp 00000000 fe:00 10641718                           /opt/groove":     true,
		"010f5000-01e0f000 r--p 00cf5000 fe:00 10641718                           /opt/groove":     true,
		"01e0f000-01e9f000 rw-p 01a0f000 fe:00 10641718                           /opt/groove":     false,
		"7f4c7c5d0000-7f4c7c790000 rw-p 00000000 00:00 0":                                          false,
		"7f4c7c5d0000-7f4c7c790000 r-xp 00000000 fe:00 1                            /opt/mygroove": false,
		"7f4c7c5d0000-7f4c7c790000 r-xp 00000000 fe:00 1               /opt/groove (deleted)":      false,
		"": false,
	} {
		begin, end, ok := unwritten(line, "/opt/groove")
		if ok != want || ok && begin >= end {
			t.Errorf("%q: %x %x %v", line, begin, end, ok)
		}
	}
}

// TestTrim: what is mapped of the file itself shrinks, and all of it still works.
func TestTrim(t *testing.T) {
	before := ofFile(t)
	trim()
	after := ofFile(t)
	if after >= before {
		t.Errorf("%d KiB of the file are mapped, then %d", before, after)
	}
}

func ofFile(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "RssFile:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
